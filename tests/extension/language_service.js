// What editors make of pipeline files. Standard input: {"schema", "documents": [{"text", "line",
// "column"}]}; standard output, for each: {"problems": ["line:column message"], "offered": [label]},
// the latter at the position, when there is one. Lines and columns count from 1.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const load = createRequire(join(process.cwd(), 'package.json'));
const { getLanguageService } = load('azure-pipelines-language-service');
const { parse } = load('azure-pipelines-language-service/lib/parser/yamlParser.js');
const { TextDocument } = load('vscode-languageserver-types');

// The library tells its own doings; standard output is ours.
console.log = () => {};

async function main() {
  const { schema, documents } = JSON.parse(readFileSync(0, 'utf8'));
  const address = 'schema://pipelines';
  const service = getLanguageService(
    async () => structuredClone(schema),
    [],
    async () => address,
  );
  service.configure({ validate: true });
  const answers = [];
  for (const [index, { text, line, column }] of documents.entries()) {
    const document = TextDocument.create(`file:///${index}.yml`, 'azure-pipelines', 1, text);
    const parsed = parse(text);
    const problems = (await service.doValidation(document, parsed)).map(
      ({ range: { start }, message }) => `${start.line + 1}:${start.character + 1} ${message}`,
    );
    const at = { line: line - 1, character: column - 1 };
    const offered = line ? (await service.doComplete(document, at, parsed)).items : [];
    answers.push({ problems, offered: offered.map((item) => item.label) });
  }
  process.stdout.write(JSON.stringify(answers));
}

main();
