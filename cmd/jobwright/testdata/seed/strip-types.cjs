// Takes the types out of a sample: node strip-types.cjs FILE < sample.ts > sample.mjs, FILE
// being the TypeScript compiler.
const ts = require(process.argv[2]);
const source = require('node:fs').readFileSync(0, 'utf8');
process.stdout.write(ts.transpileModule(source, { compilerOptions: { target: 'es2022', module: 'esnext' } }).outputText);
