//! Every method's example runs, by an administrator whose home sees everything and by an AccountManager's scope.

use crate::world::World;
use carillon_api::registry;
use carillon_api::{Credentials, call};

#[tokio::test]
async fn every_example_runs() {
    for method in registry::ALL {
        let world = World::new().await;
        let login = match method.name {
            "createOrg" | "listOrgs" => "manager@acme.example",
            _ => "boss@acme.example",
        };
        let arguments = (method.example)().to_string();
        let answer = call(
            &world.state,
            Credentials::Local(login.into()),
            method.name,
            &arguments,
        )
        .await;
        let answer = answer.unwrap_or_else(|problem| panic!("{}: {problem}", method.name));
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        for warning in answer["warnings"].as_array().into_iter().flatten() {
            assert_ne!(warning["code"], "ITEM_FAILED", "{}: {answer}", method.name);
        }
    }
}

#[tokio::test]
async fn an_unknown_method_is_told() {
    let world = World::new().await;
    let problem = call(
        &world.state,
        Credentials::Local("boss@acme.example".into()),
        "createNothing",
        "{}",
    )
    .await;
    assert!(problem.expect_err("there is none").contains("NOT_FOUND"));
}

#[tokio::test]
async fn every_method_refuses_a_user_without_its_roles() {
    let world = World::new().await;
    for method in registry::ALL
        .iter()
        .filter(|method| !method.access.is_empty())
    {
        let allowed = method.access.contains(&carillon_model::Role::Agent);
        let answer = call(
            &world.state,
            Credentials::Local("agent1@acme.example".into()),
            method.name,
            &(method.example)().to_string(),
        )
        .await;
        let denied = matches!(&answer, Err(problem) if problem.contains("ACCESS_DENIED"));
        // createContactBatch is an Agent's with `agent` = itself only.
        assert_eq!(
            denied,
            !allowed || method.name == "createContactBatch",
            "{}: {answer:?}",
            method.name
        );
    }
}
