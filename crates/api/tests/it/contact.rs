//! showContacts, and what a List takes as a contact.

use crate::world::World;
use serde_json::{Value, json};

const BOSS: &str = "boss@acme.example";

async fn show(world: &World, query: &str) -> (u16, Value) {
    let line = format!("GET /api/v1/contacts{query}");
    let reply = world.json(BOSS, &line, json!(null)).await;
    (reply.status, reply.json())
}

async fn add(world: &World, contacts: Value) -> Value {
    let body = json!({ "contacts": contacts });
    let line = "POST /api/v1/lists/400/contacts";
    let reply = world.json(BOSS, line, body).await;
    assert!(reply.status < 300, "{}", reply.body);
    if reply.body.is_empty() {
        json!([])
    } else {
        reply.json()["warnings"].clone()
    }
}

#[tokio::test]
async fn contacts_are_shown_by_id_and_by_client_id() {
    let world = World::new().await;
    let (status, one) = show(&world, "/500").await;
    assert_eq!(status, 200, "{one}");
    let contact = &one["data"];
    assert_eq!(contact["externalId"], "C-1001");
    assert_eq!(contact["devices"][0]["externalId"], "+12075550111");
    assert_eq!(contact["attributes"]["firstName"], "Ann");
    assert_eq!(contact["list"]["externalId"], "customers-oct");
    let (_, two) = show(&world, "?ids=500,500").await;
    assert_eq!(two["data"], json!([contact, contact]));

    let by_name = |list: &str| {
        format!(
            "<ns:showContacts><arg1><externalId>C-1001</externalId>{list}</arg1></ns:showContacts>"
        )
    };
    let shown = world
        .soap(
            "ContactManagementService",
            &by_name("<list><internalId>400</internalId></list>"),
        )
        .await;
    assert!(
        shown.body.contains("<internalId>500</internalId>") && shown.body.contains("Ann"),
        "{}",
        shown.body
    );
    for (list, code) in [
        ("", "ATTRIBUTE_NULL"),
        (
            "<list><internalId>401</internalId></list>",
            "OBJECT_NOT_EXISTS",
        ),
        (
            "<list><internalId>999999</internalId></list>",
            "OBJECT_NOT_EXISTS",
        ),
    ] {
        let refused = world.soap("ContactManagementService", &by_name(list)).await;
        let found = refused.body.split("<code>").nth(1).unwrap_or_default();
        assert!(found.starts_with(code), "{list}: {}", refused.body);
    }
}

#[tokio::test]
async fn unknown_foreign_and_replaced_contacts_are_alike() {
    let world = World::new().await;
    let (_, unknown) = show(&world, "/999999").await;
    assert_eq!(unknown["code"], "OBJECT_NOT_EXISTS", "{unknown}");
    let (_, some_unknown) = show(&world, "?ids=500,999999").await;
    assert_eq!(some_unknown["code"], "OBJECT_NOT_EXISTS", "{some_unknown}");
    let foreign = world
        .json(
            "boss@other.example",
            "GET /api/v1/contacts/500",
            json!(null),
        )
        .await;
    let foreign = foreign.json();
    for field in ["code", "status", "detail", "title"] {
        assert_eq!(foreign[field], unknown[field], "{field}");
    }

    let again = json!([{ "externalId": "C-1001", "devices": [{ "externalId": "+12075550199" }] }]);
    assert_eq!(add(&world, again).await, json!([]));
    let (_, replaced) = show(&world, "/500").await;
    assert_eq!(replaced["code"], "OBJECT_NOT_EXISTS", "{replaced}");
}

#[tokio::test]
async fn contacts_of_a_batch_are_shown_without_a_list() {
    let world = World::new().await;
    let batch = json!({
        "contactBatch": { "owner": { "internalId": "20" }, "maxDuration": 60 },
        "contacts": [{ "externalId": "B-1", "devices": [{ "externalId": "+12075550144" }] }]
    });
    let made = world
        .json(BOSS, "POST /api/v1/contact-batches", batch)
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (_, found) = show(&world, "?org=20&clientId=B-1").await;
    let id = found["data"][0]["internalId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (status, shown) = show(&world, &format!("/{id}")).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["data"]["externalId"], "B-1");
    assert!(shown["data"].get("list").is_none(), "{shown}");
}

#[tokio::test]
async fn too_many_contacts_are_refused() {
    let world = World::new().await;
    let contact = "<arg1><internalId>500</internalId></arg1>";
    for (count, refused) in [(100, false), (101, true)] {
        let call = format!(
            "<ns:showContacts>{}</ns:showContacts>",
            contact.repeat(count)
        );
        let reply = world.soap("ContactManagementService", &call).await;
        assert_eq!(reply.body.contains("ARG_TOO_LARGE"), refused, "{count}");
    }
}

#[tokio::test]
async fn added_contacts_are_taken_as_the_rows_of_a_file() {
    let world = World::new().await;
    let contacts = json!([{
        "externalId": " D-1 ",
        "devices": [
            { "externalId": "(207) 555-0150" },
            { "externalId": "not a phone@" },
            { "externalId": "+1 207 555 0150" },
            { "externalId": "Ann@Example.ORG" }
        ],
        "attributes": { "firstname": " Ann ", "order": "device2;Device1" }
    }, {
        "externalId": "D-2",
        "devices": [{ "externalId": "+12075550151" }],
        "attributes": { "condition": "Sometimes" }
    }]);
    let warnings = add(&world, contacts).await;
    let messages: Vec<&str> = warnings
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|warning| warning["message"].as_str())
        .collect();
    assert!(
        matches!(messages[..], [only] if only.starts_with("[1] ATTRIBUTE_INVALID_DATA")),
        "{warnings}"
    );
    let (_, found) = show(&world, "?org=20&clientId=D-1").await;
    let id = found["data"][0]["internalId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (_, shown) = show(&world, &format!("/{id}")).await;
    let devices: Vec<(&Value, &Value)> = shown["data"]["devices"]
        .as_array()
        .expect("devices")
        .iter()
        .map(|device| (&device["externalId"], &device["attributes"]["name"]))
        .collect();
    assert_eq!(
        devices,
        [
            (&json!("+12075550150"), &json!("Device1")),
            (&json!("Ann@example.org"), &json!("Device2"))
        ]
    );
    assert_eq!(shown["data"]["attributes"]["firstName"], "Ann");
    assert_eq!(shown["data"]["attributes"]["order"], "Device2 Device1");
}

#[tokio::test]
async fn client_ids_are_of_the_accounts_format() {
    let world = World::new().await;
    let set = async |format: &str| {
        let change = json!({ "attributes": { "clientIdFormat": format } });
        let reply = world
            .json("manager@acme.example", "PATCH /api/v1/orgs/20", change)
            .await;
        reply.status
    };
    assert_eq!(set("[A-Z]-[0-9]+").await, 200);
    let device = json!([{ "externalId": "+12075550155" }]);
    let contacts = json!([
        { "externalId": "E-1", "devices": device },
        { "externalId": "xE-1", "devices": device }
    ]);
    let warnings = add(&world, contacts.clone()).await;
    assert_eq!(warnings.as_array().map(Vec::len), Some(1), "{warnings}");
    assert!(
        warnings[0]["message"].as_str().is_some_and(
            |message| message.starts_with("[1] ") && message.contains("clientIdFormat")
        ),
        "{warnings}"
    );
    // An expression that cannot be used, or would grow without bound, is told and does not let everything in.
    for bad in ["(", "(a{1000}){1000}"] {
        assert_eq!(set(bad).await, 200, "an Org keeps any text");
        let body = json!({ "contacts": contacts });
        let reply = world
            .json(BOSS, "POST /api/v1/lists/400/contacts", body)
            .await;
        assert_eq!(
            (reply.status, reply.json()["code"].clone()),
            (409, json!("INVALID_STATE")),
            "{bad}: {}",
            reply.body
        );
    }
}
