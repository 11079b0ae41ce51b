// An SMS centre on npm `smpp`, with the misbehaviour that real ones show.
//
//   node smsc.mjs '{"port":0,"receipts":"before"}'
//
// It prints one JSON object a line for everything it sees and does ({"event":"listening","port":…} first), and takes
// commands the same way on its input. It ends when its input ends. npm packages are found in target/peers.
//
// Options (all may be changed while it runs, but for port):
//   port                0 = any free one
//   systemId, password  wanted at bind; without them everybody may bind
//   receipts            "after" (default) | "before" the answer | "twice" | "never" | "held" until {"command":"release"}
//   receiptIds          "same" (default) | "decimal": the answer names the id in hex, the receipt in decimal
//   receiptForm         "both" (default) | "text" | "tlv"
//   receiptDelay        milliseconds between answer and receipt, 0
//   receiptStates       {"<end of a destination>": "UNDELIV"}; else DELIVRD
//   answerDelay         milliseconds before an answer, 0
//   refuse              {"<end of a destination>": 11}: command_status of the answer
//   throttledEvery      every n-th submit is answered ESME_RTHROTTLED, 0 = none
//   queueFullEvery      every n-th submit is answered ESME_RMSGQFUL, 0 = none
//   cutAt               no submit is answered; when so many wait, the link is cut (once), 0 = never
//   silent              submits are never answered
//   deaf                nothing is answered, enquire_link neither
//   replies             {"<end of a destination>": "STOP"}: sent back as a message once the answer is out
//
// Commands: {"command":"set","options":{…}} · {"command":"message","source":"+1…","destination":"…","text":"STOP"} ·
//   {"command":"release"} · {"command":"cut"} · {"command":"unbind"} · {"command":"count"} · {"command":"stop"}

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../target/peers/', import.meta.url));
const smpp = require('smpp');

const options = {
  port: 0, receipts: 'after', receiptIds: 'same', receiptForm: 'both', receiptDelay: 0, receiptStates: {},
  answerDelay: 0, refuse: {}, throttledEvery: 0, queueFullEvery: 0, cutAt: 0, silent: false, deaf: false, replies: {},
  ...JSON.parse(process.argv[2] ?? '{}'),
};

// Ids with letters in their hex form, so that the decimal form cannot be taken for it.
let nextId = 0xA0001;
let nextSession = 1;
const counts = { binds: 0, submits: 0, accepted: 0, throttled: 0, queueFull: 0, refused: 0, receipts: 0, messages: 0, enquiries: 0 };
const sessions = new Map();
const held = [];

const say = (event, facts) => process.stdout.write(JSON.stringify({ event, ...facts }) + '\n');

const byEnd = (table, destination) => {
  const end = Object.keys(table).find((key) => destination.endsWith(key));
  return end === undefined ? undefined : table[end];
};

// What a short_message or message_payload holds: text, or bytes in hex where the encoding is not text, and the UDH.
const contentOf = (pdu) => {
  const payload = pdu.message_payload !== undefined;
  const content = (payload ? pdu.message_payload : pdu.short_message) ?? {};
  const message = content.message ?? content;
  const udh = content.udh === undefined ? undefined : Buffer.concat([].concat(content.udh)).toString('hex');
  return Buffer.isBuffer(message) ? { bytes: message.toString('hex'), udh, payload } : { text: String(message), udh, payload };
};

const stamp = (date) => date.toISOString().replace(/[-T:]/g, '').slice(2, 12);

const sendReceipt = ({ session, pdu, id }) => {
  const state = byEnd(options.receiptStates, pdu.destination_addr) ?? 'DELIVRD';
  const states = { DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };
  const named = options.receiptIds === 'decimal' ? String(id).padStart(10, '0') : id.toString(16).toUpperCase();
  const delivered = state === 'DELIVRD';
  const text = `id:${named} sub:001 dlvrd:${delivered ? '001' : '000'} submit date:${stamp(new Date())} ` +
    `done date:${stamp(new Date())} stat:${state} err:${delivered ? '000' : '001'} text:${(contentOf(pdu).text ?? '').slice(0, 20)}`;
  const receipt = {
    source_addr: pdu.destination_addr, source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi,
    destination_addr: pdu.source_addr, dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi,
    esm_class: 0x04, data_coding: 0, short_message: options.receiptForm === 'tlv' ? '' : text,
  };
  if (options.receiptForm !== 'text') {
    Object.assign(receipt, { receipted_message_id: named, message_state: states[state] ?? 7 });
  }
  if (pdu.user_message_reference !== undefined) receipt.user_message_reference = pdu.user_message_reference;
  deliver(session, receipt, 'receipt', { id: named, state });
};

// Sends a deliver_sm on a session, or on another one that is bound when that is gone.
const deliver = (session, pdu, what, facts) => {
  const to = sessions.has(session) ? session : sessions.keys().next().value;
  if (to === undefined) {
    say('undeliverable', { what, ...facts });
    return;
  }
  counts[what === 'receipt' ? 'receipts' : 'messages'] += 1;
  to.deliver_sm(pdu, (answer) => say(`${what}-answered`, { ...facts, status: answer.command_status }));
  say(what, facts);
};

const sendMessage = (session, { source, destination, text }) => {
  const international = (address) => (address.startsWith('+') ? 1 : 0);
  deliver(session, {
    source_addr: source.replace('+', ''), source_addr_ton: international(source), source_addr_npi: 1,
    destination_addr: destination.replace('+', ''), dest_addr_ton: international(destination), dest_addr_npi: 1,
    short_message: text,
  }, 'message', { source, destination, text });
};

const statusOf = (pdu) => {
  const every = (n) => n > 0 && counts.submits % n === 0;
  if (every(options.throttledEvery)) return ['throttled', smpp.ESME_RTHROTTLED];
  if (every(options.queueFullEvery)) return ['queueFull', smpp.ESME_RMSGQFUL];
  const refused = byEnd(options.refuse, pdu.destination_addr);
  return refused === undefined ? ['accepted', 0] : ['refused', refused];
};

const answer = (session, pdu, id, status) => {
  const accepted = status === 0;
  const wanted = (pdu.registered_delivery & 0x03) !== 0;
  if (accepted && wanted && options.receipts === 'before') sendReceipt({ session, pdu, id });
  session.send(pdu.response(accepted ? { message_id: id.toString(16).toUpperCase() } : { command_status: status }));
  if (!accepted) return;
  if (wanted) {
    const receipt = { session, pdu, id };
    if (options.receipts === 'held') held.push(receipt);
    const times = { after: 1, twice: 2 }[options.receipts] ?? 0;
    for (let n = 0; n < times; n += 1) setTimeout(sendReceipt, options.receiptDelay, receipt);
  }
  const reply = byEnd(options.replies, pdu.destination_addr);
  if (reply !== undefined) {
    const source = (pdu.dest_addr_ton === 1 ? '+' : '') + pdu.destination_addr;
    sendMessage(session, { source, destination: pdu.source_addr, text: reply });
  }
};

const submit = (session, pdu) => {
  counts.submits += 1;
  const state = sessions.get(session);
  state.waiting += 1;
  const id = nextId;
  nextId += 1;
  const withheld = options.silent || options.deaf || options.cutAt > 0;
  const [word, status] = withheld ? ['withheld', undefined] : statusOf(pdu);
  if (!withheld) counts[word] += 1;
  say('submit', {
    session: state.number, sequence: pdu.sequence_number, id: id.toString(16).toUpperCase(), outcome: word, waiting: state.waiting,
    source: pdu.source_addr, sourceTon: pdu.source_addr_ton, destination: pdu.destination_addr, destinationTon: pdu.dest_addr_ton,
    esmClass: pdu.esm_class, dataCoding: pdu.data_coding, registeredDelivery: pdu.registered_delivery,
    validityPeriod: pdu.validity_period || undefined, userMessageReference: pdu.user_message_reference, ...contentOf(pdu),
  });
  if (options.cutAt > 0 && state.waiting >= options.cutAt) {
    options.cutAt = 0;
    say('cut', { session: state.number, waiting: state.waiting });
    session.destroy();
  } else if (!withheld) {
    const now = () => {
      state.waiting -= 1;
      answer(session, pdu, id, status);
    };
    if (options.answerDelay > 0) setTimeout(now, options.answerDelay);
    else now();
  }
};

const bind = (session, pdu) => {
  const wrong = (options.systemId !== undefined && pdu.system_id !== options.systemId) ||
    (options.password !== undefined && pdu.password !== options.password);
  const status = wrong ? smpp.ESME_RINVPASWD : 0;
  say('bind', {
    session: sessions.get(session).number, kind: pdu.command, systemId: pdu.system_id, systemType: pdu.system_type,
    interfaceVersion: pdu.interface_version, status,
  });
  counts.binds += 1;
  if (!options.deaf) session.send(pdu.response(wrong ? { command_status: status } : { system_id: 'peer' }));
};

const server = smpp.createServer((session) => {
  sessions.set(session, { number: nextSession, waiting: 0 });
  nextSession += 1;
  session.on('error', (error) => say('error', { message: error.message }));
  session.on('close', () => {
    const state = sessions.get(session);
    sessions.delete(session);
    say('close', { session: state?.number, waiting: state?.waiting });
  });
  for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) session.on(kind, (pdu) => bind(session, pdu));
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('enquire_link', (pdu) => {
    counts.enquiries += 1;
    if (!options.deaf) session.send(pdu.response());
  });
  session.on('query_sm', (pdu) => {
    say('query', { id: pdu.message_id });
    session.send(pdu.response({ command_status: smpp.ESME_RQUERYFAIL }));
  });
  session.on('unbind', (pdu) => {
    say('unbind', { session: sessions.get(session)?.number });
    session.send(pdu.response());
    session.close();
  });
});

const commands = {
  set: (command) => Object.assign(options, command.options),
  message: (command) => sendMessage(undefined, command),
  release: () => held.splice(0).forEach(sendReceipt),
  cut: () => [...sessions.keys()].forEach((session) => session.destroy()),
  unbind: () => [...sessions.keys()].forEach((session) => session.unbind()),
  count: () => say('count', counts),
  stop: () => process.exit(0),
};

server.on('error', (error) => {
  say('error', { message: error.message });
  process.exit(1);
});
server.listen(options.port, '127.0.0.1', () => say('listening', { port: server.address().port }));
createInterface({ input: process.stdin })
  .on('line', (line) => {
    try {
      const command = JSON.parse(line);
      commands[command.command](command);
      say('done', { command: command.command });
    } catch (error) {
      say('error', { message: `${line}: ${error.message}` });
    }
  })
  .on('close', () => process.exit(0));
