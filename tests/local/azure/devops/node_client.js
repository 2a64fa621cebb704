// The unmodified azure-devops-node-api and azure-devops-extension-api against a local Azure.
// Prints one JSON object; the Python test beside it says what must be in it.
"use strict";

const https = require("node:https");
const azdev = require("azure-devops-node-api");
const tunnel = require("tunnel");
const B = require("azure-devops-node-api/interfaces/BuildInterfaces");
const G = require("azure-devops-node-api/interfaces/GitInterfaces");
const R = require("azure-devops-node-api/interfaces/ReleaseInterfaces");

const env = process.env;
const url = env.AZURE_DEVOPS_ORG_URL;
const project = env.AZURE_DEVOPS_PROJECT;
const proxy = new URL(env.HTTPS_PROXY);
const ZERO = "0".repeat(40);
const found = {};

function connect(handler) {
  const options = { proxy: { proxyUrl: env.HTTPS_PROXY }, cert: { caFile: env.REQUESTS_CA_BUNDLE } };
  return new azdev.WebApi(url, handler, options);
}

async function builds(api) {
  const build = await api.getBuildApi();
  const name = `node-${Date.now()}`;
  const definition = await build.createDefinition(
    { name, queueStatus: B.DefinitionQueueStatus.Enabled, repository: { type: "TfsGit" } },
    project,
  );
  const queued = await build.queueBuild(
    {
      definition: { id: definition.id },
      priority: B.QueuePriority.High,
      demands: ["Agent.Name -equals node"],
    },
    project,
  );
  const listed = await build.getBuilds(
    project, [definition.id], undefined, undefined, undefined, undefined, undefined, undefined,
    B.BuildStatus.NotStarted | B.BuildStatus.InProgress, undefined, undefined, undefined, 5,
    undefined, undefined, undefined, B.BuildQueryOrder.QueueTimeDescending,
  );
  await build.addBuildTags(["one", "two"], project, queued.id);
  const kept = await build.updateBuild({ keepForever: true }, project, queued.id);
  found.builds = {
    queueStatus: definition.queueStatus,
    status: queued.status,
    priority: queued.priority,
    reason: queued.reason,
    queueTime: queued.queueTime instanceof Date,
    listed: listed.map((one) => one.id === queued.id),
    tags: await build.getBuildTags(project, queued.id),
    keepForever: kept.keepForever,
  };
  return queued;
}

async function repositories(api) {
  const git = await api.getGitApi();
  const repository = await git.createRepository({ name: `node-${Date.now()}` }, project);
  const push = (branch, old, path) =>
    git.createPush(
      {
        refUpdates: [{ name: `refs/heads/${branch}`, oldObjectId: old }],
        commits: [
          {
            comment: "c",
            changes: [
              {
                changeType: G.VersionControlChangeType.Add,
                item: { path },
                newContent: { content: "eA==", contentType: G.ItemContentType.Base64Encoded },
              },
            ],
          },
        ],
      },
      repository.id,
      project,
    );
  const first = await push("main", ZERO, "/a.txt");
  await git.updateRefs(
    [{ name: "refs/heads/topic", oldObjectId: ZERO, newObjectId: first.commits[0].commitId }],
    repository.id,
    project,
  );
  await push("topic", first.commits[0].commitId, "/b.txt");
  const made = await git.createPullRequest(
    { title: "t", sourceRefName: "refs/heads/topic", targetRefName: "refs/heads/main" },
    repository.id,
    project,
  );
  const merged = await git.getPullRequestById(made.pullRequestId, project);
  const thread = await git.createThread(
    {
      comments: [{ content: "hi", commentType: G.CommentType.Text }],
      status: G.CommentThreadStatus.Active,
    },
    repository.id, made.pullRequestId, project,
  );
  const asked = await git.updatePullRequest(
    {
      status: G.PullRequestStatus.Completed,
      lastMergeSourceCommit: merged.lastMergeSourceCommit,
    },
    repository.id, made.pullRequestId, project,
  );
  const completed = await git.getPullRequest(repository.id, made.pullRequestId, project);
  const items = await git.getItems(
    repository.id, project, "/", G.VersionControlRecursionType.Full, true, false, false, false,
    { version: "main", versionType: G.GitVersionType.Branch },
  );
  const content = await git.getItemText(repository.id, "/b.txt", project);
  found.repositories = {
    merge: [made.mergeStatus, merged.mergeStatus],
    status: [made.status, asked.status, completed.status],
    thread: [thread.status, thread.comments[0].commentType],
    items: items.map((one) => [one.path, one.gitObjectType]),
    content: (await text(content)),
  };
}

function text(stream) {
  return new Promise((resolve, reject) => {
    let whole = "";
    stream.on("data", (part) => (whole += part));
    stream.on("end", () => resolve(whole));
    stream.on("error", reject);
  });
}

async function releases(api) {
  const release = await api.getReleaseApi();
  const definition = await release.createReleaseDefinition(
    { name: `node-${Date.now()}`, environments: [{ name: "Test" }], source: R.ReleaseDefinitionSource.RestApi },
    project,
  );
  const made = await release.createRelease(
    { definitionId: definition.id, reason: R.ReleaseReason.Manual, isDraft: true },
    project,
  );
  const active = await release.updateReleaseResource(
    { status: R.ReleaseStatus.Active }, project, made.id,
  );
  const stage = await release.updateReleaseEnvironment(
    { status: R.EnvironmentStatus.InProgress }, project, made.id, made.environments[0].id,
  );
  const listed = await release.getReleases(
    project, definition.id, undefined, undefined, undefined, R.ReleaseStatus.Active,
  );
  found.releases = {
    status: [made.status, active.status],
    stage: [made.environments[0].status, stage.status],
    listed: listed.map((one) => one.id === made.id),
    createdOn: made.createdOn instanceof Date,
  };
}

async function token(api, queued) {
  const agent = await api.getTaskAgentApi();
  const pool = (await agent.getAgentPools("Default"))[0];
  const session = await agent.createAgentSession({ ownerName: "node", agent: { name: "node" } }, pool.id);
  const message = await agent.getMessage(pool.id, session.sessionId);
  const request = JSON.parse(message.body);
  const job = request.resources.endpoints[0].authorization.parameters.AccessToken;
  const task = await connect(azdev.getBearerHandler(job)).getTaskApi();
  const answer = await task.createOidcToken(
    {}, request.plan.scopeIdentifier, "build", request.plan.planId, request.jobId,
    env.SERVICE_CONNECTION,
  );
  const [, claims] = answer.oidcToken.split(".");
  found.token = {
    build: request.requestId === queued.id,
    subject: JSON.parse(Buffer.from(claims, "base64url")).sub,
  };
}

// What the package expects of a browser: itself, and a fetch, which goes by way of the proxy.
globalThis.self = globalThis.window = globalThis;
globalThis.fetch = (address, options) =>
  new Promise((resolve, reject) => {
    const agent = tunnel.httpsOverHttp({
      ca: [require("node:fs").readFileSync(env.REQUESTS_CA_BUNDLE)],
      proxy: { host: proxy.hostname, port: Number(proxy.port) },
    });
    const sent = https.request(
      address,
      { method: options.method, headers: Object.fromEntries(new Headers(options.headers)), agent },
      async (response) => {
        const body = await text(response);
        found.raw = body;
        resolve(new Response(body || null, { status: response.statusCode, headers: response.headers }));
      },
    );
    sent.on("error", reject);
    sent.end(options.body);
  });

async function browser(queued) {
  const { BuildRestClient, BuildStatus, QueuePriority } = require("azure-devops-extension-api/Build");
  const basic = Buffer.from(`:${env.AZURE_DEVOPS_EXT_PAT}`).toString("base64");
  const client = new BuildRestClient({
    rootPath: `${url}/`,
    authTokenProvider: { getAuthorizationHeader: async () => `Basic ${basic}` },
  });
  const build = await client.getBuild(project, queued.id);
  const raw = JSON.parse(found.raw);
  const listed = await client.getBuilds(
    project, [queued.definition.id], undefined, undefined, undefined, undefined, undefined,
    undefined, BuildStatus.All,
  );
  const changed = await client.updateBuild({ priority: QueuePriority.Low }, project, queued.id);
  found.browser = {
    status: build.status,
    priority: [build.priority, changed.priority],
    queueTime: build.queueTime instanceof Date && build.queueTime.getTime() === queued.queueTime.getTime(),
    wire: [typeof raw.status, /^\/Date\(\d+\)\/$/.test(raw.queueTime)],
    listed: listed.length,
  };
}

async function main() {
  const api = connect(azdev.getPersonalAccessTokenHandler(env.AZURE_DEVOPS_EXT_PAT));
  const who = await api.connect();
  found.who = who.authenticatedUser.providerDisplayName;
  const queued = await builds(api);
  await repositories(api);
  await releases(api);
  await browser(queued);
  await token(api, queued);
  delete found.raw;
  console.log(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
