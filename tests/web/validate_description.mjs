// Checks an OpenAPI document (file in argv) against the official JSON schema of its version.
import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';

const validator = new Validator();
const result = await validator.validate(JSON.parse(await readFile(process.argv[2], 'utf8')));
console.log(JSON.stringify({ version: validator.version, ...result }, null, 1));
process.exitCode = result.valid && validator.version === '3.1' ? 0 : 1;
