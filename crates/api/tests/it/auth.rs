//! Who may call: digests and their replay, locks, disabled Users, clear-text on untrusted listeners, changed passwords.

use crate::world::{NOW, PASSWORD, World, basic, envelope, secret, text_token};
use base64::Engine as _;
use serde_json::json;
use sha1::{Digest as _, Sha1};
use std::sync::atomic::Ordering;

const SESSION: &str = "<ns:showCurrentSession/>";
const LINE: &str = "POST /SOAPAPI2/AuthenticationService110";

fn digest_token(nonce: &[u8], created: &str, secret: &str) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    let mut digest = Sha1::new();
    digest.update(nonce);
    digest.update(created);
    digest.update(secret);
    format!(
        "<wsse:UsernameToken><wsse:Username>boss@acme.example</wsse:Username><u:Created xmlns:u='urn:u'>{created}</u:Created>\
         <wsse:Nonce>{}</wsse:Nonce><wsse:Password Type='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest'>{}</wsse:Password></wsse:UsernameToken>",
        engine.encode(nonce),
        engine.encode(digest.finalize())
    )
}

#[tokio::test]
async fn a_digest_is_proven_once() {
    // Digests never show the secret: an untrusted listener takes them.
    let world = World::on(false).await;
    let body = envelope(
        &digest_token(b"nonce-1", "2026-11-24T13:05:00Z", &secret()),
        SESSION,
    );
    let first = world.send(LINE, &[], body.as_bytes()).await;
    assert!(first.body.contains("boss@acme.example"), "{}", first.body);
    let replay = world.send(LINE, &[], body.as_bytes()).await;
    assert!(
        replay.body.contains("FailedAuthentication"),
        "{}",
        replay.body
    );
    for (nonce, created, secret) in [
        (&b"nonce-2"[..], "2026-11-24T13:00:08Z", secret()),
        (b"nonce-3", "2026-11-24T13:06:10Z", secret()),
        (b"nonce-4", "soon", secret()),
        (b"nonce-5", "2026-11-24T13:05:00Z", "wrong".to_owned()),
        (b"nonce-6", "2026-11-24T13:05:00Z", PASSWORD.to_owned()),
    ] {
        let reply = world
            .send(
                LINE,
                &[],
                envelope(&digest_token(nonce, created, &secret), SESSION).as_bytes(),
            )
            .await;
        assert!(
            reply.body.contains("FailedAuthentication"),
            "{created}: {}",
            reply.body
        );
    }
    let with_offset = envelope(
        &digest_token(b"nonce-7", "2026-11-24T14:05:00.123+01:00", &secret()),
        SESSION,
    );
    assert!(
        world
            .send(LINE, &[], with_offset.as_bytes())
            .await
            .body
            .contains("boss@acme.example")
    );
}

#[tokio::test]
async fn a_refused_call_uses_up_its_nonce() {
    let world = World::new().await;
    let body = envelope(
        &digest_token(b"nonce-1", "2026-11-24T13:05:00Z", &secret()),
        "<ns:createCampaign/>",
    );
    let line = "POST /SOAPAPI2/CampaignManagementService110";
    assert!(
        world
            .send(line, &[], body.as_bytes())
            .await
            .body
            .contains("ARG_NULL")
    );
    let rejected = envelope(
        &digest_token(b"nonce-2", "2026-11-24T13:05:00Z", &secret()),
        "<ns:createCampaign><arg1><externalId>October</externalId></arg1><arg2><internalId>20</internalId></arg2></ns:createCampaign>",
    );
    assert!(
        world
            .send(line, &[], rejected.as_bytes())
            .await
            .body
            .contains("OBJECT_EXISTS")
    );
    assert!(
        world
            .send(line, &[], rejected.as_bytes())
            .await
            .body
            .contains("FailedAuthentication")
    );
}

#[tokio::test]
async fn clear_text_needs_a_trusted_listener() {
    let world = World::on(false).await;
    let soap = world.soap("AuthenticationService", SESSION).await;
    assert!(soap.body.contains("FailedAuthentication"), "{}", soap.body);
    for header in [
        basic("boss@acme.example", PASSWORD),
        format!("Authorization: Bearer {}", secret()),
    ] {
        let reply = world.send("GET /api/v1/session", &[header], b"").await;
        assert_eq!(reply.status, 401);
        assert!(reply.header("www-authenticate").is_some());
    }
}

#[tokio::test]
async fn api_secrets_serve_everywhere() {
    let world = World::new().await;
    for header in [
        basic("boss@acme.example", &secret()),
        format!("Authorization: Bearer {}", secret()),
    ] {
        assert_eq!(
            world
                .send("GET /api/v1/session", &[header], b"")
                .await
                .status,
            200
        );
    }
    let text = envelope(&text_token("boss@acme.example", &secret()), SESSION);
    assert!(
        world
            .send(LINE, &[], text.as_bytes())
            .await
            .body
            .contains("boss@acme.example")
    );
    // Another User's secret proves nothing.
    let other = basic("manager@acme.example", &secret());
    assert_eq!(
        world
            .send("GET /api/v1/session", &[other], b"")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn ten_failures_lock_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    for _ in 0..10 {
        let reply = world
            .send(
                "GET /api/v1/session",
                &[basic("boss@acme.example", "ck_wrong")],
                b"",
            )
            .await;
        assert_eq!(reply.status, 401);
    }
    let right = [basic("BOSS@acme.example", PASSWORD)];
    assert_eq!(
        world.send("GET /api/v1/session", &right, b"").await.status,
        401
    );
    world
        .clock
        .0
        .store(NOW.0 + 15 * 60_000 + 1, Ordering::SeqCst);
    assert_eq!(
        world.send("GET /api/v1/session", &right, b"").await.status,
        200
    );
}

#[tokio::test]
async fn a_new_user_changes_its_password_first() {
    let world = World::new().await;
    let user = json!({ "users": [{ "externalId": "New@acme.example", "firstName": "N", "lastName": "U", "roles": ["AccountManager"], "password": "a first long password" }, { "externalId": "nobody" , "firstName": "N", "lastName": "U", "roles": ["AccountManager"] }] });
    let refused = world
        .json("boss@acme.example", "POST /api/v1/users", user)
        .await;
    assert_eq!(
        refused.json()["code"],
        "ATTRIBUTE_INVALID_FORMAT",
        "{}",
        refused.body
    );
    let user = json!({ "users": [{ "externalId": "New@acme.example", "firstName": "N", "lastName": "U", "roles": ["AccountManager"], "password": "a first long password" }, { "externalId": "x@acme.example", "firstName": "N", "lastName": "U", "roles": ["SystemAdministrator"] }] });
    let made = world
        .json("boss@acme.example", "POST /api/v1/users", user)
        .await
        .json();
    assert_eq!(made["data"].as_array().map(Vec::len), Some(1), "{made}");
    assert!(
        made["warnings"][0]["message"]
            .as_str()
            .is_some_and(|message| message.starts_with("[1] ACCESS_DENIED")),
        "{made}"
    );
    let id = made["data"][0]["internalId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let first = basic("new@acme.example", "a first long password");
    assert_eq!(
        world
            .send("GET /api/v1/session", std::slice::from_ref(&first), b"")
            .await
            .status,
        401
    );
    let change = |new: &str| json!({ "current": "a first long password", "new": new }).to_string();
    let line = format!("POST /api/v1/users/{id}:change-password");
    let headers = [first, "Content-Type: application/json".to_owned()];
    for (new, status) in [
        ("short", 422),
        ("a first long password", 422),
        ("a second long password", 204),
    ] {
        let reply = world.send(&line, &headers, change(new).as_bytes()).await;
        assert_eq!(reply.status, status, "{new}: {}", reply.body);
    }
    assert_eq!(
        world
            .send(
                "GET /api/v1/session",
                &[basic("new@acme.example", "a second long password")],
                b""
            )
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_disabled_org_lets_nobody_in() {
    let world = World::new().await;
    let off = json!({ "attributes": { "enabled": false } });
    let reply = world
        .json("manager@acme.example", "PATCH /api/v1/orgs/20", off)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        world
            .send(
                "GET /api/v1/session",
                &[basic("boss@acme.example", PASSWORD)],
                b""
            )
            .await
            .status,
        401
    );
    let state = world
        .json(
            "manager@acme.example",
            "GET /api/v1/sub-campaigns/600/state",
            json!(null),
        )
        .await
        .json();
    assert_eq!(state["data"]["state"], "Paused", "{state}");
    let batch = world
        .json(
            "manager@acme.example",
            "GET /api/v1/contact-batches/700/state",
            json!(null),
        )
        .await
        .json();
    assert_eq!(batch["data"]["state"], "Cancelled", "{batch}");
    let new = json!({
        "contactBatch": { "owner": { "internalId": "20" }, "maxDuration": 60 },
        "contacts": [{ "devices": [{ "externalId": "+12075550111" }] }]
    });
    let refused = world
        .json("manager@acme.example", "POST /api/v1/contact-batches", new)
        .await;
    assert_eq!(refused.json()["code"], "INVALID_STATE", "{}", refused.body);
}

#[tokio::test]
async fn keys_are_made_and_deleted() {
    let world = World::new().await;
    let made = world
        .json(
            "boss@acme.example",
            "POST /api/v1/users/52/api-keys",
            json!({ "name": "k" }),
        )
        .await
        .json();
    let secret = made["data"]["secret"]
        .as_str()
        .expect("answered once")
        .to_owned();
    let id = made["data"]["internalId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let bearer = [format!("Authorization: Bearer {secret}")];
    assert_eq!(
        world.send("GET /api/v1/session", &bearer, b"").await.status,
        200
    );
    let listed = world
        .json(
            "boss@acme.example",
            "GET /api/v1/users/52/api-keys",
            json!(null),
        )
        .await;
    assert!(
        !listed.body.contains(&secret) && listed.body.contains(&id),
        "{}",
        listed.body
    );
    let deleted = world
        .json(
            "boss@acme.example",
            &format!("DELETE /api/v1/users/52/api-keys/{id}"),
            json!(null),
        )
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    assert_eq!(
        world.send("GET /api/v1/session", &bearer, b"").await.status,
        401
    );
}

#[tokio::test]
async fn an_installation_is_made_once() {
    use carillon_api::{ApiState, Credentials, InitError, InitNames, call, init_installation};
    use carillon_store::Store;
    use rand::SeedableRng as _;
    let store = Store::memory();
    let mut chance = rand::rngs::StdRng::seed_from_u64(2);
    let names = InitNames {
        enterprise: "Acme",
        account: "North",
        login: "Root@acme.example",
    };
    let key = crate::world::KEY;
    let short = init_installation(&store, &names, "short", &key, &mut chance, NOW);
    assert!(matches!(short, Err(InitError::Unfit(_))));
    let init =
        init_installation(&store, &names, PASSWORD, &key, &mut chance, NOW).expect("it is empty");
    let again = init_installation(&store, &names, PASSWORD, &key, &mut chance, NOW);
    assert!(matches!(again, Err(InitError::Installed)));
    let clock = std::sync::Arc::new(crate::world::Still(NOW.0.into()));
    let state = ApiState::new(store, clock, chance, &key);
    for credentials in [
        Credentials::Bearer(init.secret.clone()),
        Credentials::Basic {
            login: "root@acme.example".into(),
            password: PASSWORD.into(),
        },
    ] {
        let orgs = format!("{{\"parent\":{{\"internalId\":\"{}\"}}}}", init.enterprise);
        let answer = call(&state, credentials, "listOrgs", &orgs)
            .await
            .expect("an administrator may");
        assert!(
            answer.contains("\"North\"") && answer.contains("\"Acme-master\""),
            "{answer}"
        );
    }
}
