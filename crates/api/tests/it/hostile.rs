//! Whatever bytes come in, both doors answer a legal fault and never panic.

use crate::world::{PASSWORD, World, envelope, text_token};
use carillon_api::door::soap::read_envelope;
use carillon_api::door::{body, json};
use carillon_api::method::Service;
use carillon_api::registry;
use carillon_api::tree::Builder;
use proptest::prelude::*;

fn batch_body() -> String {
    envelope(
        &text_token("boss@acme.example", PASSWORD),
        "<ns:createContactBatch><arg1><owner><internalId>20</internalId></owner><maxDuration>60</maxDuration></arg1>\
         <arg2><externalId>C&amp;1</externalId><devices><externalId>+12075550111</externalId></devices><attributes><name>a</name><value><![CDATA[b]]></value></attributes></arg2></ns:createContactBatch>",
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_are_refused_as_envelopes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let Ok(text) = body::xml_text(bytes.into()) else { return Ok(()) };
        if let Err(fault) = read_envelope(text, &[], Service::CampaignManagement, 110) {
            prop_assert!(fault.status == 400 || fault.status == 500);
        }
    }

    #[test]
    fn a_damaged_envelope_is_read_or_refused(at in 0usize..1_400, byte in any::<u8>(), cut in 0usize..1_600) {
        let mut bytes = batch_body().into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(cut.min(length));
        let Ok(text) = body::xml_text(bytes.into()) else { return Ok(()) };
        if let Ok(request) = read_envelope(text, &[], Service::CampaignManagement, 110) {
            let _ = carillon_api::check::stages_1_to_4(&request.tree, Default::default(), request.method.rule);
        }
    }

    #[test]
    fn any_tree_of_elements_is_checked(names in proptest::collection::vec((0usize..14, any::<bool>()), 0..60)) {
        let words = ["arg1", "arg2", "internalId", "externalId", "owner", "type", "passes", "channel", "devices", "attributes", "name", "value", "campaign", "x"];
        let mut content = String::new();
        let mut open = Vec::new();
        for (word, down) in names {
            if down || open.is_empty() {
                content.push_str(&format!("<{}>", words[word]));
                open.push(words[word]);
            } else {
                content.push('1');
                content.push_str(&format!("</{}>", open.pop().expect("not empty")));
            }
        }
        while let Some(word) = open.pop() {
            content.push_str(&format!("</{word}>"));
        }
        for method in registry::ALL.iter().filter(|method| method.soap) {
            let body = envelope("", &format!("<ns:{0}>{content}</ns:{0}>", method.name));
            match read_envelope(body, &[], method.service, 110) {
                Ok(request) => {
                    let _ = carillon_api::check::stages_1_to_4(&request.tree, Default::default(), request.method.rule);
                }
                Err(fault) => prop_assert!(fault.status == 400, "{}", fault.text),
            }
        }
    }

    #[test]
    fn arbitrary_json_is_read_or_refused(text in "[\\[\\]{}\",:a-zA-Z0-9. \\\\-]{0,200}") {
        for method in registry::ALL {
            let mut builder = Builder::new(&method.input);
            if json::arguments(&text, &mut builder, &method.input).is_ok() {
                let tree = builder.finish(text.clone());
                let _ = carillon_api::check::stages_1_to_4(&tree, Default::default(), method.rule);
            }
        }
    }

    #[test]
    fn arbitrary_values_in_examples_are_checked(value in arbitrary_json(), pick in any::<prop::sample::Index>(), method in any::<prop::sample::Index>()) {
        let method = registry::ALL[method.index(registry::ALL.len())];
        let mut example = (method.example)();
        let mut places = Vec::new();
        collect(&example, String::new(), &mut places);
        if !places.is_empty() {
            let place = &places[pick.index(places.len())];
            *example.pointer_mut(place).expect("collected from it") = value;
        }
        let text = example.to_string();
        let mut builder = Builder::new(&method.input);
        if json::arguments(&text, &mut builder, &method.input).is_ok() {
            let tree = builder.finish(text);
            let _ = carillon_api::check::stages_1_to_4(&tree, Default::default(), method.rule);
        }
    }
}

fn arbitrary_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,80}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map("[a-zA-Z]{1,12}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn collect(value: &serde_json::Value, place: String, places: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                collect(member, format!("{place}/{name}"), places);
            }
        }
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
    if !place.is_empty() {
        places.push(place);
    }
}

#[tokio::test]
async fn arbitrary_values_through_the_whole_door_get_a_legal_answer() {
    let world = World::new().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for method in registry::ALL {
        for _ in 0..6 {
            let mut example = (method.example)();
            let mut places = Vec::new();
            collect(&example, String::new(), &mut places);
            let tree = (arbitrary_json(), any::<prop::sample::Index>())
                .new_tree(&mut runner)
                .expect("a value");
            let (value, pick) = proptest::strategy::ValueTree::current(&tree);
            if places.is_empty() {
                continue;
            }
            let place = &places[pick.index(places.len())];
            *example.pointer_mut(place).expect("collected from it") = value;
            let answer = carillon_api::call(
                &world.state,
                carillon_api::Credentials::Local("boss@acme.example".into()),
                method.name,
                &example.to_string(),
            )
            .await;
            if let Err(problem) = answer {
                assert!(
                    !problem.contains("INTERNAL_ERROR"),
                    "{} {example}: {problem}",
                    method.name
                );
            }
        }
    }
}

#[tokio::test]
async fn deep_and_wide_json_is_refused() {
    let world = World::new().await;
    let headers = [
        crate::world::basic("boss@acme.example", PASSWORD),
        "Content-Type: application/json".to_owned(),
    ];
    let deep = format!("{{\"campaign\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let wide = format!("{{\"campaign\":[{}1]}}", "1,".repeat(600_000));
    for body in [
        deep,
        wide,
        "{\"campaign\":{\"externalId\":\"\\ud800\"}}".to_owned(),
        "{".to_owned(),
        "{}{}".to_owned(),
    ] {
        let reply = world
            .send("POST /api/v1/campaigns", &headers, body.as_bytes())
            .await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert_eq!(reply.json()["code"], "MALFORMED", "{}", reply.body);
    }
}
