import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '**/*',
      '!tasks',
      '!tasks/launcher',
      '!tasks/launcher/*.ts',
      '!extension',
      '!extension/tab',
      '!extension/tab/*.ts',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Names with a dot access look like properties; environment variables are not.
      '@typescript-eslint/dot-notation': 'off',
    },
  },
);
