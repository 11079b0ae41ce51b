// A SOAP client on npm `soap`: createCampaign and showCampaign from the WSDL, an array argument, an error and a fault.
//
//   node tests/peers/node_client.mjs URL LOGIN SECRET digest|text ACCOUNT [NAME]
//
// It prints one JSON object a line and exits with 1 at the first answer that is not as the specification says.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../target/peers/', import.meta.url));
const soap = require('soap');

const [url, login, secret, mode, account, name = 'node'] = process.argv.slice(2);
const say = (step, facts) => process.stdout.write(JSON.stringify({ step, ok: true, ...facts }) + '\n');
const expect = (what, found, wanted) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
};

const connect = async (service, password) => {
  const address = `${url}/SOAPAPI2/${service}Service110`;
  // npm soap keeps XML attributes under `attributes`, which is a field of every entity here: it lets that name be moved.
  const client = await soap.createClientAsync(`${address}?wsdl`, { endpoint: address, attributesKey: '$attributes' });
  const passwordType = mode === 'digest' ? 'PasswordDigest' : 'PasswordText';
  client.setSecurity(new soap.WSSecurity(login, password, { passwordType, hasTokenCreated: mode === 'digest', hasNonce: mode === 'digest' }));
  return client;
};

const answerOf = async (client, method, args) => (await client[`${method}Async`](args))[0].return;
const list = (value) => (value === undefined ? [] : [].concat(value));

try {
  const org = { internalId: account };
  const client = await connect('CampaignManagement', secret);

  const script = Buffer.from('<text><message>Hello.</message></text>').toString('base64');
  const made = await answerOf(client, 'createScriptUsingContent', {
    arg1: `${name} script`, arg2: ['hello.xml'], arg3: [script], arg4: org,
  });
  expect('errors', list(made.errors), []);
  say('create_script', { script: list(made.data)[0].internalId });

  const campaign = await answerOf(client, 'createCampaign', {
    arg1: { externalId: `${name} campaign`, attributes: [{ name: 'endDate', value: '2099-12-31' }] }, arg2: org,
  });
  expect('errors', list(campaign.errors), []);
  const id = String(list(campaign.data)[0].internalId);
  const shown = await answerOf(client, 'showCampaign', { arg1: { internalId: id } });
  expect('externalId', list(shown.data)[0].externalId, `${name} campaign`);
  say('create_campaign', { campaign: id });

  const again = await answerOf(client, 'createCampaign', { arg1: { externalId: `${name} campaign` }, arg2: org });
  expect('codes', list(again.errors).map((error) => error.code), ['OBJECT_EXISTS']);
  say('errors', {});

  const stranger = await connect('CampaignManagement', 'wrong');
  const fault = await answerOf(stranger, 'showCampaign', { arg1: { internalId: id } }).then(
    () => undefined, (error) => error.root?.Envelope?.Body?.Fault?.faultstring ?? error.message);
  if (fault === undefined) throw new Error('a wrong secret is no fault');
  say('fault', { message: String(fault) });
} catch (error) {
  process.stdout.write(JSON.stringify({ step: 'failed', ok: false, error: error.message }) + '\n');
  process.exit(1);
}
