"""A SOAP client on PyPI `zeep`, driven by nothing but the WSDLs: lists, base64, derived types, dates, errors, faults.

    target/peers/venv/bin/python tests/peers/zeep_client.py URL LOGIN SECRET digest|text --account ID [--prefix NAME]

URL is the address of the server (http://127.0.0.1:8480), SECRET an API secret (or, with text, a password), ID the
internalId of an Account that emulates outreach. Everything it makes begins with NAME. It prints one JSON object a line,
{"step": …, "ok": true, …}, and exits with 1 at the first answer that is not as the specification says.
"""

import argparse
import datetime
import json
import sys
import time

import zeep
from zeep.wsse.username import UsernameToken

VERSION = "110"
NAMESPACE = f"http://www.soundbite.com/SOAPAPI2/{VERSION}"
UTC = datetime.timezone.utc
SCRIPT = b"""<text description="From zeep">
  <message>Hello {{ contact.firstName | default('you') }}. Reply C to confirm, STOP to end.</message>
  <reply match="C CONFIRM" set="answer=confirmed" result="Success"><message>Thank you.</message></reply>
  <timeout after="PT24H" result="Failed"/>
</text>"""
CSV = (
    "ClientID,NameLastFirst,CellPhone,Email,ticket\r\n"
    'Z-3,"Lee, Ann",+1 202-555-0143,ann@example.org,T-1\r\n'
    'Z-4,"Grün, Zoë",(202) 555-0144,,"T ""2"""\r\n'
    "Z-5,Nobody,12,,\r\n"
    'Z-4,"Grün, Zoë",(202) 555-0145,,T-3\r\n'
).encode()


class Wrong(Exception):
    """An answer that is not as it should be."""


def expect(what, found, wanted):
    if found != wanted:
        raise Wrong(f"{what}: {found!r} instead of {wanted!r}")


class Server:
    """The services of a server, each from its own WSDL."""

    def __init__(self, url, token):
        self.url = url.rstrip("/")
        self.token = token
        self.clients = {}

    def client(self, service):
        if service not in self.clients:
            wsdl = f"{self.url}/SOAPAPI2/{service}Service{VERSION}?wsdl"
            self.clients[service] = zeep.Client(wsdl, wsse=self.token)
        return self.clients[service]

    def proxy(self, service):
        client = self.client(service)
        binding = next(iter(client.wsdl.bindings))
        return client.create_service(binding, f"{self.url}/SOAPAPI2/{service}Service{VERSION}")

    def type(self, service, name):
        """A derived type of the service's schema, which zeep marks with xsi:type."""
        return self.client(service).get_type(f"{{{NAMESPACE}}}{name}")

    def call(self, service, method, *arguments):
        """The answer of a method, whatever it says."""
        return getattr(self.proxy(service), method)(*arguments)

    def data(self, service, method, *arguments):
        """The data of an answer that may have no errors."""
        answer = self.call(service, method, *arguments)
        if answer.errors:
            error = answer.errors[0]
            raise Wrong(f"{method} answers {error.code}: {error.message}")
        return list(answer.data or [])

    def one(self, service, method, *arguments):
        data = self.data(service, method, *arguments)
        expect(f"number of data of {method}", len(data), 1)
        return data[0]

    def error(self, service, method, *arguments):
        """The code of an answer that has to have one."""
        answer = self.call(service, method, *arguments)
        if not answer.errors:
            raise Wrong(f"{method} answers no error")
        expect(f"data beside errors of {method}", list(answer.data or []), [])
        return answer.errors[0].code


def attributes_of(entity):
    return {attribute.name: attribute.value for attribute in entity.attributes or []}


def attribute_list(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def wait_for(what, look, seconds=30):
    """Looks again and again until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = look()
        if answer:
            return answer
        time.sleep(0.1)
    raise Wrong(f"{what} does not happen within {seconds} s")


class Trip:
    """The steps, in order; each uses what the ones before have made."""

    def __init__(self, server, account, prefix):
        self.server = server
        self.org = {"internalId": account}
        self.prefix = prefix
        self.made = {}

    def reference(self, what):
        return {"internalId": self.made[what].internalId}

    def step_show_org(self):
        org = self.server.one("OrganizationManagement", "showOrg", self.org)
        expect("type", org.type, "Account")
        expect("dates are read as UTC", org.createdDate.utcoffset(), datetime.timedelta(0))
        return {"org": org.externalId}

    def step_create_list(self):
        service = "ContactManagement"
        owner = self.server.type(service, "org")(internalId=self.org["internalId"])
        name = f"{self.prefix} people"
        made = self.server.one(service, "createList", {"externalId": name, "description": "a < b & \"c\""}, owner)
        expect("externalId", made.externalId, name)
        expect("description", made.description, 'a < b & "c"')
        self.made["list"] = made
        return {"list": made.internalId}

    def step_add_contacts(self):
        contacts = [
            {
                "externalId": "Z-1",
                "devices": [
                    {"externalId": "(202) 555-0141", "type": "Mobile"},
                    {"externalId": "Zed@EXAMPLE.org", "type": "Email"},
                ],
                "attributes": attribute_list(firstName="Zoë", ticket="T-1"),
            },
            {"externalId": "Z-2", "devices": [{"externalId": "+12025550142"}]},
            {"externalId": "Z-9", "devices": [{"externalId": "12"}]},
        ]
        answer = self.server.call("ContactManagement", "addToListUsingContacts", self.reference("list"), contacts)
        expect("errors", list(answer.errors or []), [])
        warnings = [(warning.code, warning.message[:3]) for warning in answer.warnings or []]
        expect("warnings", warnings, [("ITEM_FAILED", "[2]")])
        return {"warnings": len(warnings)}

    def step_add_csv(self):
        job = self.server.one("ContactManagement", "addToListUsingStream", self.reference("list"), CSV, None)

        def done():
            state = self.server.one("PlatformManagement", "showJobStateUsingJob", {"internalId": job.internalId})
            return state if state.state not in ("Pending", "Running") else None

        state = wait_for("the end of the import", done)
        expect("state", state.state, "Done")
        report = self.server.data("PlatformManagement", "showJobResultAsString", {"internalId": job.internalId})
        lines = str(report[0] if not hasattr(report[0], "value") else report[0].value).splitlines()
        expect("rejected line", lines[1].split(",")[:3], ["4", "CellPhone", "rejected"])
        expect("totals", lines[-4:], [",,rows,4", ",,stored,2", ",,merged,1", ",,rejected,1"])
        return {"job": job.internalId}

    def step_list_contacts(self):
        contacts = self.server.data("ContactManagement", "listContactsAsContacts", self.reference("list"), None)
        names = [contact.externalId for contact in contacts]
        expect("Client IDs", sorted(names), ["Z-1", "Z-2", "Z-3", "Z-4"])
        return {"contacts": len(names)}

    def step_create_script(self):
        name = f"{self.prefix} script"
        made = self.server.one("CampaignManagement", "createScriptUsingContent", name, ["hello.xml"], [SCRIPT], self.org)
        expect("externalId", made.externalId, name)
        self.made["script"] = made
        return {"script": made.internalId}

    def step_create_strategy(self):
        passes = [
            {"name": "first", "channel": "3", "pacing": "Fixed", "contactsPerMinute": 6000.0, "startTime": "00:00:00", "endTime": "00:00:00"},
            {"name": "second", "channel": "3", "acceptTextResults": ["Failed", "Unknown"], "allowedDays": ["Monday", "Friday"]},
        ]
        strategy = {"externalId": f"{self.prefix} strategy", "script": self.reference("script"), "passes": passes}
        made = self.server.one("CampaignManagement", "createOutreachStrategy", strategy, self.org)
        expect("names of passes", [made_pass.name for made_pass in made.passes], ["first", "second"])
        expect("accepted results", list(made.passes[1].acceptTextResults), ["Failed", "Unknown"])
        expect("pace", made.passes[0].contactsPerMinute, 6000.0)
        self.made["strategy"] = made
        return {"strategy": made.internalId}

    def step_create_rule(self):
        day = datetime.date(datetime.date.today().year, 12, 24)
        rule = {
            "externalId": f"{self.prefix} rule",
            "type": "Date",
            "required": False,
            "elements": [{"date": day, "allowed": False}],
        }
        made = self.server.one("CampaignManagement", "createComplianceRule", rule, self.org)
        expect("date", made.elements[0].date, day)
        expect("version", made.version, 1)
        self.made["rule"] = made
        return {"rule": made.internalId}

    def step_create_campaign(self):
        campaign = {
            "externalId": f"{self.prefix} campaign",
            "description": "One\nTwo",
            "defaultStrategy": self.reference("strategy"),
            "complianceRules": [self.reference("rule")],
            "attributes": attribute_list(endDate="2099-12-31"),
        }
        made = self.server.one("CampaignManagement", "createCampaign", campaign, self.org)
        expect("endDate", attributes_of(made)["endDate"], "2099-12-31")
        self.made["campaign"] = made
        return {"campaign": made.internalId}

    def step_show_campaign(self):
        by_name = {"externalId": f"{self.prefix} CAMPAIGN", "owner": self.org}
        shown = self.server.one("CampaignManagement", "showCampaign", by_name)
        expect("internalId", shown.internalId, self.made["campaign"].internalId)
        expect("description", shown.description, "One\nTwo")
        return {"campaign": shown.internalId}

    def step_suppress(self):
        service = "ContactManagement"
        owner = self.server.type(service, "org")(internalId=self.org["internalId"])
        sample = {"externalId": f"{self.prefix} never", "type": "Suppression", "required": True}
        made = self.server.one(service, "createList", sample, owner)
        reference = {"internalId": made.internalId}
        entry = {"device": "+12025550142", "expirationDate": datetime.date(2099, 1, 1), "reason": "asked"}
        expect("errors", list(self.server.call(service, "addToSuppression", reference, [entry]).errors or []), [])
        entries = self.server.data(service, "listSuppressionEntries", reference, None)
        expect("devices", [entry.device for entry in entries], ["+12025550142"])
        return {"list": made.internalId}

    def step_create_sub_campaign(self):
        sub_campaign = {"campaign": self.reference("campaign"), "attributes": attribute_list(autoStart="false")}
        made = self.server.one(
            "CampaignManagement", "createSubCampaign", sub_campaign, self.reference("list"), self.reference("script"), self.org
        )
        expect("type", made.type, "Outbound")
        expect("externalId is the List's", made.externalId, f"{self.prefix} people")
        self.made["sub_campaign"] = made
        return {"subCampaign": made.internalId}

    def step_run(self):
        reference = self.reference("sub_campaign")

        def state_in(*wanted):
            shown = self.server.one("CampaignManagement", "showSubCampaignState", reference)
            return shown if shown.state in wanted else None

        wait_for("the end of the load", lambda: state_in("Pending"))
        change = {"subCampaign": reference, "state": "Running"}
        self.server.one("CampaignManagement", "changeSubCampaignState", change)
        state = wait_for("the end of the run", lambda: state_in("Awaiting", "Done", "Completing"), 60)
        counters = attributes_of(state)
        return {"state": state.state, "counters": counters, "passes": [item.state for item in state.passStates]}

    def step_list_states(self):
        now = datetime.datetime.now(UTC)
        sample = {"subCampaign": {"campaign": self.reference("campaign")}, "state": "All"}
        hour = datetime.timedelta(hours=1)
        states = self.server.data("CampaignManagement", "listSubCampaignStates", self.org, sample, now - hour, now + hour)
        found = [state.subCampaign.internalId for state in states]
        expect("SubCampaigns", found, [self.made["sub_campaign"].internalId])
        return {"states": len(found)}

    def step_create_batch(self):
        batch = {
            "externalId": f"{self.prefix} batch",
            "owner": self.org,
            "campaign": self.reference("campaign"),
            "outreachStrategy": self.reference("strategy"),
            "maxDuration": 10,
        }
        contacts = [{"externalId": "B-1", "devices": [{"externalId": "+12025550146"}]}]
        made = self.server.one("CampaignManagement", "createContactBatch", batch, contacts, None)
        expect("maxDuration", int(made.maxDuration), 10)
        reference = {"internalId": made.internalId}
        state = self.server.one("CampaignManagement", "showContactBatchState", reference)
        return {"batch": made.internalId, "state": state.state}

    def step_list_attempts(self):
        now = datetime.datetime.now(UTC)
        hour = datetime.timedelta(hours=1)
        attempts = []
        for client_id in ["Z-1", "Z-2", "Z-3", "Z-4"]:
            sample = {"contact": {"externalId": client_id}}
            attempts += self.server.data("CampaignManagement", "listContactAttempts", self.org, sample, now - hour, now + hour)
        ids = [{"internalId": attempt.internalId} for attempt in attempts]
        shown = self.server.data("CampaignManagement", "showContactAttempts", ids)
        expect("shown", [attempt.internalId for attempt in shown], [one["internalId"] for one in ids])
        reached = sorted({attempt.contact.externalId for attempt in shown})
        expect("nobody suppressed is reached", reached, ["Z-1", "Z-3", "Z-4"])
        return {"attempts": len(ids), "reached": reached}

    def step_errors(self):
        campaign = {"externalId": f"{self.prefix} campaign"}
        service = "CampaignManagement"
        codes = [
            self.server.error(service, "createCampaign", campaign, self.org),
            self.server.error(service, "createCampaign", {"description": "nameless"}, self.org),
            self.server.error(service, "createCampaign", campaign, None),
            self.server.error(service, "createCampaign", {"externalId": "A<B"}, self.org),
            self.server.error(service, "showCampaign", {"internalId": "999999999"}),
        ]
        wanted = ["OBJECT_EXISTS", "ATTRIBUTE_NULL", "ARG_NULL", "ATTRIBUTE_INVALID_CHAR", "OBJECT_NOT_EXISTS"]
        expect("codes", codes, wanted)
        return {"codes": codes}

    def step_fault(self):
        wrong = Server(self.server.url, UsernameToken("nobody@example.org", "wrong", use_digest=self.server.token.use_digest))
        try:
            wrong.call("OrganizationManagement", "showOrg", self.org)
        except zeep.exceptions.Fault as fault:
            return {"fault": str(fault.code), "message": fault.message}
        raise Wrong("a wrong secret is no fault")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("login")
    parser.add_argument("secret")
    parser.add_argument("mode", choices=["digest", "text"])
    parser.add_argument("--account", required=True)
    parser.add_argument("--prefix", default="zeep")
    told = parser.parse_args()
    token = UsernameToken(told.login, told.secret, use_digest=told.mode == "digest")
    trip = Trip(Server(told.url, token), told.account, told.prefix)
    steps = [name for name in vars(Trip) if name.startswith("step_")]
    for name in steps:
        step = name.removeprefix("step_")
        try:
            print(json.dumps({"step": step, "ok": True, **getattr(trip, name)()}, default=str), flush=True)
        except (Wrong, zeep.exceptions.Error, AttributeError, IndexError, KeyError) as error:
            print(json.dumps({"step": step, "ok": False, "error": f"{type(error).__name__}: {error}"}), flush=True)
            sys.exit(1)


main()
