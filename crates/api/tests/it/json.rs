//! The JSON door: addresses, statuses, problems, merge patch, ETag, idempotency, cursors.

use crate::world::{World, basic, secret};
use serde_json::json;

const BOSS: &str = "boss@acme.example";

#[tokio::test]
async fn a_campaign_is_made_and_shown() {
    let world = World::new().await;
    let made = world
        .json(BOSS, "POST /api/v1/campaigns", json!({ "campaign": { "externalId": "Winter", "attributes": { "endDate": "2027-01-31", "colour": true } } }))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let data = &made.json()["data"];
    assert_eq!(
        data["owner"]["internalId"], "20",
        "a null org is the caller's only Account"
    );
    assert_eq!(
        data["attributes"],
        json!({ "colour": "true", "endDate": "2027-01-31", "startDate": "2026-11-24" })
    );
    let location = made.header("location").expect("Location").to_owned();
    let shown = world
        .json(BOSS, &format!("GET {location}"), json!(null))
        .await;
    assert_eq!(shown.json()["data"], *data);
    assert_eq!(shown.header("etag"), Some("\"1\""));
    let by_name = world
        .json(
            BOSS,
            "GET /api/v1/campaigns/ext:winter?owner=20",
            json!(null),
        )
        .await;
    assert_eq!(by_name.json()["data"], *data);
}

#[tokio::test]
async fn problems_name_code_pointer_and_check() {
    let world = World::new().await;
    // A caller with several Accounts has no default owner.
    let reply = world
        .json(
            "manager@acme.example",
            "GET /api/v1/campaigns/ext:October",
            json!(null),
        )
        .await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(
        reply.json(),
        json!({
            "type": "urn:carillon:error:ATTRIBUTE_NULL", "title": "Attribute must be non-null", "status": 400,
            "detail": "Attribute 'owner' must be non-null", "code": "ATTRIBUTE_NULL", "pointer": "/owner", "check": "NV"
        })
    );
    for (line, body, status, code) in [
        (
            "POST /api/v1/campaigns",
            json!({ "campaign": { "externalId": "A<B" } }),
            422,
            "ATTRIBUTE_INVALID_CHAR",
        ),
        (
            "POST /api/v1/campaigns",
            json!({ "campaign": { "externalId": "x", "nonsense": 1 } }),
            400,
            "ARG_INVALID_TYPE",
        ),
        (
            "POST /api/v1/campaigns",
            json!({ "campaign": ["x"] }),
            400,
            "ARG_INVALID_TYPE",
        ),
        ("POST /api/v1/campaigns", json!({}), 400, "ARG_NULL"),
        ("POST /api/v1/campaigns", json!([]), 400, "MALFORMED"),
        (
            "GET /api/v1/campaigns/999999",
            json!(null),
            404,
            "OBJECT_NOT_EXISTS",
        ),
        (
            "GET /api/v1/campaigns?limit=0",
            json!(null),
            422,
            "ARG_INVALID_DATA",
        ),
        (
            "GET /api/v1/campaigns?colour=red",
            json!(null),
            400,
            "ARG_INVALID_TYPE",
        ),
        ("GET /api/v1/nothing", json!(null), 404, "NOT_FOUND"),
        (
            "PUT /api/v1/campaigns",
            json!(null),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            "DELETE /api/v1/campaigns",
            json!(null),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            "PATCH /api/v1/sub-campaigns/601/state",
            json!({ "state": "Running" }),
            409,
            "INVALID_STATE",
        ),
    ] {
        let reply = world.json(BOSS, line, body).await;
        assert_eq!(
            (reply.status, reply.json()["code"].as_str()),
            (status, Some(code)),
            "{line}: {}",
            reply.body
        );
    }
    let place = world.json(BOSS, "POST /api/v1/outreach-strategies", json!({ "outreachStrategy": { "externalId": "S", "passes": [{ "channel": "text" }, { "channel": "smoke" }] } })).await;
    assert_eq!(
        place.json()["pointer"],
        "/outreachStrategy/passes/1/channel",
        "{}",
        place.body
    );
}

#[tokio::test]
async fn patches_merge_and_honour_if_match() {
    let world = World::new().await;
    let line = "PATCH /api/v1/lists/400";
    let first = world
        .json(BOSS, line, json!({ "description": "one" }))
        .await;
    assert_eq!(first.json()["data"]["description"], "one", "{}", first.body);
    let tag = first.header("etag").expect("ETag").to_owned();
    let stale = world
        .json_with(
            BOSS,
            line,
            &["If-Match: \"1\"".into()],
            json!({ "description": "two" }),
        )
        .await;
    assert_eq!(
        (stale.status, stale.json()["code"].clone()),
        (412, json!("PRECONDITION_FAILED"))
    );
    let cleared = world
        .json_with(
            BOSS,
            line,
            &[format!("If-Match: {tag}")],
            json!({ "description": null }),
        )
        .await;
    assert_eq!(
        cleared.json()["data"].get("description"),
        None,
        "{}",
        cleared.body
    );
    // What was shown can be sent back; what is fixed cannot change.
    let shown = world
        .json(BOSS, "GET /api/v1/lists/400", json!(null))
        .await
        .json()["data"]
        .clone();
    let back = world.json(BOSS, line, shown).await;
    assert_eq!(back.status, 200, "{}", back.body);
    let fixed = world.json(BOSS, line, json!({ "type": "Template" })).await;
    assert_eq!(
        fixed.json()["code"],
        "ATTRIBUTE_INVALID_DATA",
        "{}",
        fixed.body
    );
    let nameless = world.json(BOSS, line, json!({ "externalId": null })).await;
    assert_eq!(
        nameless.json()["code"],
        "ATTRIBUTE_NULL",
        "{}",
        nameless.body
    );
}

#[tokio::test]
async fn a_repeated_key_answers_again() {
    let world = World::new().await;
    let key = ["Idempotency-Key: k-1".to_owned()];
    let body = json!({ "campaign": { "externalId": "Once" } });
    let first = world
        .json_with(BOSS, "POST /api/v1/campaigns", &key, body.clone())
        .await;
    let second = world
        .json_with(BOSS, "POST /api/v1/campaigns", &key, body)
        .await;
    assert_eq!((first.status, second.status), (201, 201), "{}", second.body);
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            second.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    let other = world
        .json_with(
            BOSS,
            "POST /api/v1/campaigns",
            &key,
            json!({ "campaign": { "externalId": "Twice" } }),
        )
        .await;
    assert_eq!(
        (other.status, other.json()["code"].clone()),
        (422, json!("IDEMPOTENCY_KEY_REUSED"))
    );
    // A refused call is not kept: the same key serves the corrected one.
    let key = ["Idempotency-Key: k-2".to_owned()];
    assert_eq!(
        world
            .json_with(
                BOSS,
                "POST /api/v1/campaigns",
                &key,
                json!({ "campaign": { "externalId": "once" } })
            )
            .await
            .status,
        409
    );
    assert_eq!(
        world
            .json_with(
                BOSS,
                "POST /api/v1/campaigns",
                &key,
                json!({ "campaign": { "externalId": "New" } })
            )
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn lists_go_on_by_cursor() {
    let world = World::new().await;
    let contacts: Vec<_> = (0..25).map(|n| json!({ "externalId": format!("P-{n}"), "devices": [{ "externalId": format!("+120755501{n:02}") }] })).collect();
    let added = world
        .json(
            BOSS,
            "POST /api/v1/lists/400/contacts",
            json!({ "contacts": contacts }),
        )
        .await;
    assert_eq!(added.status, 204, "{}", added.body);
    for (line, expected) in [
        ("/api/v1/lists/400/contacts", 26),
        ("/api/v1/lists?org=20", 2),
    ] {
        let mut seen = std::collections::HashSet::new();
        let mut cursor = String::new();
        loop {
            let joint = if line.contains('?') { '&' } else { '?' };
            let page = world
                .json(
                    BOSS,
                    &format!("GET {line}{joint}limit=7{cursor}"),
                    json!(null),
                )
                .await
                .json();
            for item in page["data"].as_array().expect("a list") {
                assert!(
                    seen.insert(item["internalId"].as_str().map(str::to_owned)),
                    "twice: {item}"
                );
            }
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), expected, "{line}");
    }
}

#[tokio::test]
async fn item_wise_methods_warn() {
    let world = World::new().await;
    let contacts = json!([{ "externalId": "A", "devices": [{ "externalId": "+12075550133" }] }, { "externalId": "B" }]);
    let reply = world
        .json(
            BOSS,
            "POST /api/v1/lists/400/contacts",
            json!({ "contacts": contacts }),
        )
        .await;
    assert_eq!(reply.status, 200, "204 has no room for warnings");
    let warning = &reply.json()["warnings"][0];
    assert_eq!(warning["code"], "ITEM_FAILED");
    assert!(
        warning["message"]
            .as_str()
            .is_some_and(|message| message.starts_with("[1] ATTRIBUTE_INVALID_FORMAT")),
        "{warning}"
    );
}

#[tokio::test]
async fn csv_is_imported_by_a_job() {
    let world = World::new().await;
    let headers = [
        basic(BOSS, crate::world::PASSWORD),
        "Content-Type: text/csv".to_owned(),
    ];
    let reply = world
        .send(
            "POST /api/v1/lists/400:import",
            &headers,
            b"ClientID,Phone\nI-1,+12075550141\nI-2,nonsense\n",
        )
        .await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    let location = reply.header("location").expect("Location").to_owned();
    let store = world.state.store().clone();
    let clock = std::sync::Arc::clone(&world.clock);
    tokio::task::spawn_blocking(move || {
        carillon_import::Worker::new().run_pending(&store, &*clock)
    })
    .await
    .expect("ran")
    .expect("imported");
    let state = world
        .json(BOSS, &format!("GET {location}"), json!(null))
        .await
        .json();
    assert_eq!(state["data"]["state"], "Done", "{state}");
    let result = world
        .json(BOSS, &format!("GET {location}/result"), json!(null))
        .await
        .json();
    assert!(
        result["data"]
            .as_str()
            .is_some_and(|report| report.contains('3')),
        "{result}"
    );
}

#[tokio::test]
async fn forms_upload_scripts() {
    let world = World::new().await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nUploaded\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.xml\"\r\n\r\n<text><message>Hi</message></text>\r\n--b--\r\n";
    let headers = [
        basic(BOSS, crate::world::PASSWORD),
        "Content-Type: multipart/form-data; boundary=b".to_owned(),
    ];
    let reply = world
        .send("POST /api/v1/scripts", &headers, form.as_bytes())
        .await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["data"]["channel"], "text");
}

#[tokio::test]
async fn visible_is_only_what_is_ones_own() {
    let world = World::new().await;
    for line in [
        "GET /api/v1/campaigns/100",
        "GET /api/v1/lists/400",
        "GET /api/v1/users/52",
        "GET /api/v1/orgs/20",
        "GET /api/v1/sub-campaigns/600/state",
        "GET /api/v1/contact-batches/700/state",
        "GET /api/v1/jobs/950",
        "GET /api/v1/contact-attempts?ids=801",
    ] {
        let own = world.json(BOSS, line, json!(null)).await;
        assert_eq!(own.status, 200, "{line}: {}", own.body);
        let foreign = world.json("boss@other.example", line, json!(null)).await;
        assert_eq!(
            (foreign.status, foreign.json()["code"].clone()),
            (404, json!("OBJECT_NOT_EXISTS")),
            "{line}: {}",
            foreign.body
        );
    }
    // The Enterprise is readable from below and not changeable.
    let read = world.json(BOSS, "GET /api/v1/orgs/10", json!(null)).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let write = world
        .json(BOSS, "PATCH /api/v1/orgs/10", json!({ "name": "x" }))
        .await;
    assert_eq!(write.json()["code"], "ACCESS_DENIED", "{}", write.body);
}

#[tokio::test]
async fn rates_are_limited_per_org() {
    let world = World::new().await;
    let change = json!({ "attributes": { "limit.request.perMinute": "2" } });
    assert_eq!(
        world
            .json("manager@acme.example", "PATCH /api/v1/orgs/20", change)
            .await
            .status,
        200
    );
    let bearer = [format!("Authorization: Bearer {}", secret())];
    for expected in [200, 200, 429] {
        let reply = world.send("GET /api/v1/session", &bearer, b"").await;
        assert_eq!(reply.status, expected, "{}", reply.body);
        assert_eq!(reply.header("retry-after").is_some(), expected == 429);
    }
    let soap = world
        .soap("AuthenticationService", "<ns:showCurrentSession/>")
        .await;
    assert_eq!(soap.status, 429);
}

#[tokio::test]
async fn the_audit_trail_tells_who_did_what() {
    let world = World::new().await;
    world
        .json(
            BOSS,
            "POST /api/v1/campaigns",
            json!({ "campaign": { "externalId": "Seen" } }),
        )
        .await;
    let trail = world
        .json(BOSS, "GET /api/v1/system-events?org=20", json!(null))
        .await
        .json();
    assert_eq!(trail["data"][0]["action"], "createCampaign", "{trail}");
    assert_eq!(trail["data"][0]["user"]["externalId"], BOSS);
}

#[tokio::test]
async fn a_new_rule_binds_the_next_batch() {
    let world = World::new().await;
    let batch = |name: &str| {
        json!({
            "contactBatch": { "externalId": name, "maxDuration": "PT1H" },
            "contacts": [{ "externalId": "C-1", "devices": [{ "externalId": "+12075550111" }] }, { "externalId": "C-2", "devices": [{ "externalId": "nonsense" }] }]
        })
    };
    let open = world
        .json(BOSS, "POST /api/v1/contact-batches", batch("one"))
        .await;
    assert_eq!(open.status, 201, "{}", open.body);
    assert_eq!(open.json()["data"]["maxDuration"], 60);
    assert_eq!(
        open.json()["warnings"],
        json!([{ "code": "CONTACT_FILTERED", "message": "[1] NoDevice", "severity": "Info" }])
    );
    let rule = json!({ "complianceRule": { "type": "Location", "required": true, "elements": [{ "region": "us" }] } });
    let made = world
        .json(BOSS, "POST /api/v1/compliance-rules", rule)
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let closed = world
        .json(BOSS, "POST /api/v1/contact-batches", batch("two"))
        .await;
    assert_eq!(
        closed.json()["warnings"][0]["message"],
        "[0] LocationRule",
        "{}",
        closed.body
    );
    let id = made.json()["data"]["internalId"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(
        world
            .json(
                BOSS,
                &format!("DELETE /api/v1/compliance-rules/{id}"),
                json!(null)
            )
            .await
            .status,
        204
    );
    let again = world
        .json(BOSS, "POST /api/v1/contact-batches", batch("three"))
        .await;
    assert_eq!(
        again.json()["warnings"].as_array().map(Vec::len),
        Some(1),
        "{}",
        again.body
    );
    // Contacts are added to it by its id; a Client ID that is in it is a duplicate.
    let id = again.json()["data"]["internalId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let more = json!({ "contacts": [{ "externalId": "C-1", "devices": [{ "externalId": "+12075550111" }] }] });
    let more = world
        .json(
            BOSS,
            &format!("POST /api/v1/contact-batches/{id}/contacts"),
            more,
        )
        .await;
    assert_eq!(
        more.json()["warnings"][0]["message"],
        "[0] Duplicate",
        "{}",
        more.body
    );
}

#[tokio::test]
async fn one_attempt_is_an_object_and_several_are_a_list() {
    let world = World::new().await;
    let one = world
        .json(BOSS, "GET /api/v1/contact-attempts/801", json!(null))
        .await;
    assert_eq!(
        one.json()["data"]["contact"]["externalId"],
        "C-1001",
        "{}",
        one.body
    );
    assert!(one.header("etag").is_some());
    let two = world
        .json(
            BOSS,
            "GET /api/v1/contact-attempts?ids=801,801",
            json!(null),
        )
        .await;
    assert_eq!(
        two.json()["data"].as_array().map(Vec::len),
        Some(2),
        "{}",
        two.body
    );
    let listed = world
        .json(
            BOSS,
            "GET /api/v1/contact-attempts?org=20&device=%2B12075550111",
            json!(null),
        )
        .await;
    assert_eq!(
        listed.json()["data"],
        json!([{ "internalId": "801" }]),
        "{}",
        listed.body
    );
}
