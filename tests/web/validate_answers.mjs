// Checks real answers against the schemas of the description. On stdin: {document, answers: [{name, schema, value}]},
// `schema` a JSON pointer into the document. Prints what does not fit.
import { text } from 'node:stream/consumers';
import addFormats from 'ajv-formats';
import Ajv2020 from 'ajv/dist/2020.js';

const { document, answers } = JSON.parse(await text(process.stdin));
// The document holds more than schemas, so unknown words in it are no fault.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
addFormats(ajv);
ajv.addSchema(document, 'openapi');

let wrong = 0;
for (const { name, schema, value } of answers) {
  const validate = ajv.getSchema(`openapi#${schema}`);
  if (!validate(value)) {
    wrong += 1;
    console.log(`${name}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`);
  }
}
console.log(`${answers.length} answers, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
