//! cancelJob.

use crate::world::World;
use serde_json::json;

const BOSS: &str = "boss@acme.example";

#[tokio::test]
async fn a_running_job_is_cancelled_once() {
    let world = World::new().await;
    let shown = world.json(BOSS, "GET /api/v1/jobs/951", json!(null)).await;
    let tag = shown.header("etag").expect("a version").to_owned();
    let line = "POST /api/v1/jobs/951:cancel";
    let stale = ["If-Match: \"77\"".to_owned()];
    let refused = world.json_with(BOSS, line, &stale, json!({})).await;
    assert_eq!(refused.status, 412, "{}", refused.body);

    let fresh = [format!("If-Match: {tag}")];
    let cancelled = world.json_with(BOSS, line, &fresh, json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let state = &cancelled.json()["data"];
    assert_eq!(state["state"], "Cancelled");
    assert_eq!(state["progress"], 40);
    assert_eq!(state["endTime"], "2026-11-24T13:05:09.120Z");
    let shown = world.json(BOSS, "GET /api/v1/jobs/951", json!(null)).await;
    assert_eq!(&shown.json()["data"], state);
    assert_eq!(shown.header("etag"), cancelled.header("etag"));
    assert_ne!(shown.header("etag"), Some(tag.as_str()));

    let again = world.json(BOSS, line, json!({})).await;
    assert_eq!(again.json()["code"], "INVALID_STATE", "{}", again.body);
    let result = world
        .json(BOSS, "GET /api/v1/jobs/951/result", json!(null))
        .await;
    assert_eq!(result.status, 200, "the report so far: {}", result.body);
    let trail = world
        .json(
            BOSS,
            "GET /api/v1/system-events?org=20&action=cancelJob",
            json!(null),
        )
        .await;
    assert!(trail.body.contains("job 951"), "{}", trail.body);
}

#[tokio::test]
async fn ended_foreign_and_unknown_jobs_are_not_cancelled() {
    let world = World::new().await;
    for (login, job, code) in [
        (BOSS, 950, "INVALID_STATE"),
        (BOSS, 999_999, "OBJECT_NOT_EXISTS"),
        (BOSS, 400, "OBJECT_NOT_EXISTS"),
        ("boss@other.example", 951, "OBJECT_NOT_EXISTS"),
        ("supervisor@acme.example", 951, "ACCESS_DENIED"),
    ] {
        let line = format!("POST /api/v1/jobs/{job}:cancel");
        let reply = world.json(login, &line, json!({})).await;
        assert_eq!(reply.json()["code"], code, "{login} {job}: {}", reply.body);
    }
    let soap = "<ns:cancelJob><arg1><internalId>951</internalId></arg1></ns:cancelJob>";
    let cancelled = world.soap("PlatformManagementService", soap).await;
    assert!(
        cancelled.body.contains("<state>Cancelled</state>"),
        "{}",
        cancelled.body
    );
}
