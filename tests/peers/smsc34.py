"""A second SMS centre, on PyPI `smpp34`: another codec and session layer than npm `smpp`, not written by this project.

    target/peers/venv/bin/python tests/peers/smsc34.py '{"port": 2775}'

It accepts every submit_sm and sends a receipt for each that asks for one. It prints one JSON object a line, as smsc.mjs
does, and takes {"command": "message", …}, {"command": "count"} and {"command": "stop"}; it ends when its input ends.

Options: port (0 = any free one) · refuse {"<end of a destination>": 88} · states {"<end of a destination>": "UNDELIV"} ·
replies {"<end of a destination>": "STOP"}.
"""

import asyncio
import json
import os
import socket
import sys

import smpp34

STATES = {"DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def by_end(table, destination):
    return next((value for end, value in table.items() if destination.endswith(end)), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Centre:
    """The sessions that are bound, and what was done on them."""

    def __init__(self, options):
        self.options = options
        self.sessions = {}
        self.submits = 0
        self.receipts = 0
        # Tasks are kept here, or nothing would hold them while they run.
        self.tasks = set()

    def later(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            say("error", message=repr(task.exception()))

    def bound(self, esme):
        self.sessions[esme.session_id] = esme
        say("bind", session=esme.session_id, systemId=esme.system_id, canReceive=esme.can_receive)

    def receiver(self, session):
        esme = self.sessions.get(session)
        if esme is not None and esme.can_receive:
            return esme
        return next((other for other in self.sessions.values() if other.can_receive), None)

    def submitted(self, event):
        self.submits += 1
        identifier = f"py-{self.submits:08d}"
        refused = by_end(self.options.get("refuse", {}), event.destination_addr)
        references = [tlv.as_int() for tlv in event.tlvs if tlv.tag == smpp34.TLV_USER_MESSAGE_REFERENCE]
        payloads = [tlv.value for tlv in event.tlvs if tlv.tag == smpp34.TLV_MESSAGE_PAYLOAD]
        say(
            "submit",
            session=event.session_id,
            id=identifier,
            outcome="accepted" if refused is None else "refused",
            source=event.source_addr,
            destination=event.destination_addr,
            esmClass=event.esm_class,
            dataCoding=event.data_coding,
            registeredDelivery=event.registered_delivery,
            userMessageReference=references[0] if references else None,
            bytes=(payloads[0] if payloads else event.short_message).hex(),
            payload=bool(payloads),
        )
        if refused is not None:
            event.reject(refused)
            return
        event.accept(identifier)
        if event.registered_delivery & 0x03:
            self.later(self.receipt(event, identifier))
        reply = by_end(self.options.get("replies", {}), event.destination_addr)
        if reply is not None:
            self.later(self.message(event.session_id, event.destination_addr, event.source_addr, reply))

    async def receipt(self, event, identifier):
        state = by_end(self.options.get("states", {}), event.destination_addr) or "DELIVRD"
        delivered = "001" if state == "DELIVRD" else "000"
        text = (
            f"id:{identifier} sub:001 dlvrd:{delivered} submit date:2611241305 done date:2611241306 "
            f"stat:{state} err:000 text:"
        )
        esme = self.receiver(event.session_id)
        if esme is None:
            say("undeliverable", what="receipt", id=identifier)
            return
        answer = await esme.deliver_sm(
            event.source_addr,
            text.encode("ascii"),
            source_addr=event.destination_addr,
            source_addr_ton=event.dest_addr_ton,
            source_addr_npi=event.dest_addr_npi,
            dest_addr_ton=event.source_addr_ton,
            dest_addr_npi=event.source_addr_npi,
            esm_class=0x04,
            tlvs=[
                smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, identifier.encode("ascii") + b"\0"),
                smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([STATES.get(state, 7)])),
            ],
        )
        self.receipts += 1
        say("receipt", id=identifier, state=state, status=answer.command_status)

    async def message(self, session, source, destination, text):
        esme = self.receiver(session)
        if esme is None:
            say("undeliverable", what="message", source=source)
            return
        answer = await esme.deliver_sm(
            destination.lstrip("+"),
            text.encode("ascii"),
            source_addr=source.lstrip("+"),
            source_addr_ton=1,
            source_addr_npi=1,
            dest_addr_ton=1 if destination.startswith("+") else 0,
            dest_addr_npi=1,
        )
        say("message", source=source, destination=destination, text=text, status=answer.command_status)

    def command(self, line):
        command = json.loads(line)
        match command["command"]:
            case "message":
                self.later(self.message(None, command["source"], command["destination"], command["text"]))
            case "count":
                say("count", submits=self.submits, receipts=self.receipts, sessions=len(self.sessions))
            case "stop":
                os._exit(0)
            case other:
                say("error", message=f"no command {other}")


async def commands(centre):
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            centre.command(line)
        except (ValueError, KeyError) as error:
            say("error", message=f"{line.strip()}: {error!r}")
    os._exit(0)


async def main():
    options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    port = options.get("port") or free_port()
    centre = Centre(options)
    server = smpp34.Server("127.0.0.1", port, system_id="peer34")
    await server.start()
    say("listening", port=port)
    centre.later(commands(centre))
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            centre.bound(event)
        elif isinstance(event, smpp34.Unbound):
            centre.sessions.pop(event.session_id, None)
            say("close", session=event.session_id)
        else:
            centre.submitted(event)


asyncio.run(main())
