/** The same module for `import`: one copy of the classes, however a program loads them. */
export * from './index.js';
