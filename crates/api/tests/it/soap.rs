//! The SOAP door with the requests of `api.md` 6, and what foreign clients do differently.

use crate::world::{PASSWORD, World, envelope, text_token};

const CAMPAIGNS: &str = "CampaignManagementService";

fn dense(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

#[tokio::test]
async fn list_campaigns_answers_as_the_specification_shows() {
    let world = World::new().await;
    let reply = world
        .soap(
            CAMPAIGNS,
            "<ns:listCampaigns>
              <arg1><internalId>20</internalId><type>Account</type></arg1>
              <arg2>2026-10-01</arg2>
              <arg3/>
            </ns:listCampaigns>",
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        reply.header("content-type"),
        Some("text/xml; charset=utf-8")
    );
    assert_eq!(
        dense(&reply.body),
        dense(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="http://www.soundbite.com/SOAPAPI2/110" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><ns:listCampaignsResponse><return>
            <data xsi:type="ns:campaign">
              <internalId>100</internalId><externalId>October</externalId><createdDate>2026-11-04T13:05:09.120Z</createdDate><updatedDate>2026-11-04T13:05:09.120Z</updatedDate>
              <createdBy><internalId>52</internalId><externalId>boss@acme.example</externalId></createdBy><modifiedBy><internalId>52</internalId><externalId>boss@acme.example</externalId></modifiedBy>
              <owner><internalId>20</internalId><externalId>north</externalId><type>Account</type><parent><internalId>10</internalId><externalId>acme</externalId><type>Enterprise</type></parent></owner>
              <description>Payment reminders</description>
              <defaultStrategy><internalId>200</internalId><externalId>Standard</externalId><owner><internalId>20</internalId><externalId>north</externalId><type>Account</type></owner></defaultStrategy>
              <callerID>+12075550100</callerID>
              <attributes><name>endDate</name><value>2027-12-31</value></attributes><attributes><name>startDate</name><value>2026-10-01</value></attributes>
            </data>
            <dataOffset>0</dataOffset>
            </return></ns:listCampaignsResponse></soapenv:Body></soapenv:Envelope>"#
        )
    );
}

#[tokio::test]
async fn list_sub_campaign_states_takes_the_clients_times() {
    let world = World::new().await;
    let reply = world
        .soap(
            CAMPAIGNS,
            "<ns:listSubCampaignStates>
              <arg1><internalId>20</internalId><type>Account</type></arg1>
              <arg2><subCampaign><campaign><externalId>octo</externalId></campaign></subCampaign><state>Active</state></arg2>
              <arg3>2026-11-01T00:00:00.0000000-04:00</arg3>
              <arg4>2026-12-01T00:00:00.0000000-05:00</arg4>
            </ns:listSubCampaignStates>",
        )
        .await;
    assert_eq!(
        reply
            .body
            .matches("<data xsi:type=\"ns:subCampaignState\">")
            .count(),
        2,
        "{}",
        reply.body
    );
    assert!(
        reply
            .body
            .contains("<state>Running</state><passStates><pass><internalId>610</internalId>"),
        "{}",
        reply.body
    );
    assert!(
        reply
            .body
            .contains("<attributes><name>filteredCount</name><value>0</value></attributes>")
    );
    assert!(!reply.body.contains("September-1"));
}

#[tokio::test]
async fn change_sub_campaign_state_pauses() {
    let world = World::new().await;
    let call = "<ns:changeSubCampaignState><arg1><subCampaign><internalId>600</internalId></subCampaign><state>Paused</state></arg1></ns:changeSubCampaignState>";
    for _ in 0..2 {
        let reply = world.soap(CAMPAIGNS, call).await;
        assert!(
            reply.body.contains("</subCampaign><state>Paused</state>"),
            "{}",
            reply.body
        );
        assert!(reply.body.contains("</pass><state>Paused</state>"));
    }
}

#[tokio::test]
async fn create_contact_batch_filters_the_suppressed() {
    let world = World::new().await;
    let call = "<ns:createContactBatch>
        <arg1><externalId>outage-1124</externalId><owner><internalId>20</internalId></owner><campaign><internalId>100</internalId></campaign><maxDuration>120</maxDuration></arg1>
        <arg2><externalId>C-1001</externalId><devices><externalId>+12075550111</externalId><type>Mobile</type></devices><attributes><name>firstName</name><value>Test</value></attributes><attributes><name>ticket</name><value>T-77</value></attributes></arg2>
        <arg2><externalId>C-1002</externalId><devices><externalId>207 555 0112</externalId><type>Mobile</type></devices></arg2>
      </ns:createContactBatch>";
    let reply = world.soap(CAMPAIGNS, call).await;
    let start = reply
        .body
        .find("<externalId>outage-1124")
        .unwrap_or_else(|| panic!("{}", reply.body));
    assert_eq!(
        dense(&reply.body[start..]),
        dense(
            "<externalId>outage-1124</externalId><createdDate>2026-11-24T13:05:09.120Z</createdDate><updatedDate>2026-11-24T13:05:09.120Z</updatedDate>
            <createdBy><internalId>52</internalId><externalId>boss@acme.example</externalId></createdBy><modifiedBy><internalId>52</internalId><externalId>boss@acme.example</externalId></modifiedBy>
            <owner><internalId>20</internalId><externalId>north</externalId><type>Account</type><parent><internalId>10</internalId><externalId>acme</externalId><type>Enterprise</type></parent></owner><campaign><internalId>100</internalId><externalId>October</externalId><owner><internalId>20</internalId><externalId>north</externalId><type>Account</type></owner></campaign>
            <outreachStrategy><internalId>201</internalId><externalId>Default OnDemand</externalId><owner><internalId>20</internalId><externalId>north</externalId><type>Account</type></owner></outreachStrategy>
            <script><internalId>300</internalId><externalId>Reminder</externalId><owner><internalId>20</internalId><externalId>north</externalId><type>Account</type></owner><version>3</version><description>A reminder</description></script>
            <requestedStartTime>2026-11-24T13:05:09.120Z</requestedStartTime><maxDuration>120</maxDuration>
            <attributes><name>priority</name><value>5</value></attributes>
            </data><dataOffset>0</dataOffset>
            <warnings><code>CONTACT_FILTERED</code><type>Campaign</type><message>[1] SuppressedDevice</message><severity>Info</severity></warnings>
            </return></ns:createContactBatchResponse></soapenv:Body></soapenv:Envelope>"
        )
    );
    let again = world.soap(CAMPAIGNS, call).await;
    assert!(
        again.body.contains("<code>OBJECT_EXISTS</code>"),
        "{}",
        again.body
    );
    let state = world.soap(CAMPAIGNS, "<ns:showContactBatchState><arg1><externalId>outage-1124</externalId></arg1></ns:showContactBatchState>").await;
    assert!(
        state
            .body
            .contains("<name>filteredCount</name><value>1</value>"),
        "{}",
        state.body
    );
    assert!(
        state
            .body
            .contains("<name>notAttemptedCount</name><value>1</value>"),
        "{}",
        state.body
    );
}

#[tokio::test]
async fn errors_stand_in_the_response() {
    let world = World::new().await;
    let reply = world
        .soap(
            CAMPAIGNS,
            "<ns:showCampaign><arg1><externalId>October</externalId></arg1></ns:showCampaign>",
        )
        .await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.body.contains("<return><dataOffset>0</dataOffset><errors><code>ATTRIBUTE_NULL</code><type>Campaign</type><message>Attribute 'arg1.owner' must be non-null</message><severity>Error</severity></errors></return>"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn foreign_clients_are_understood() {
    let world = World::new().await;
    let token = text_token("boss@acme.example", PASSWORD);
    // Default namespaces everywhere, qualified children, an unprefixed xsi:type, xsd types on scalars, a Timestamp.
    let body = format!(
        "<?xml version='1.0'?><Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Header>\
         <o:Security xmlns:o='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd' mustUnderstand='true'>\
         <u:Timestamp xmlns:u='urn:u'/>{}</o:Security></Header><Body>\
         <showCampaign xmlns='http://www.soundbite.com/SOAPAPI2/110'><arg1 xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Campaign'>\
         <internalId i:type='xsd:string'>&#49;00</internalId><description i:nil='true'/></arg1></showCampaign></Body></Envelope>",
        token.replace("wsse:", "o:")
    );
    let reply = world
        .send(
            "POST /SOAPAPI2/CampaignManagementService110",
            &["SOAPAction: \"\"".into()],
            body.as_bytes(),
        )
        .await;
    assert!(
        reply.body.contains("<externalId>October</externalId>"),
        "{}",
        reply.body
    );
    assert!(
        reply
            .head
            .to_ascii_lowercase()
            .contains("connection: close")
    );
    // UTF-16.
    let wide: Vec<u8> = format!(
        "\u{feff}{}",
        envelope(
            &token,
            "<ns:showCampaign><arg1><internalId>100</internalId></arg1></ns:showCampaign>"
        )
    )
    .encode_utf16()
    .flat_map(u16::to_le_bytes)
    .collect();
    let reply = world
        .send("POST /SOAPAPI2/CampaignManagementService110", &[], &wide)
        .await;
    assert!(
        reply.body.contains("<externalId>October</externalId>"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn gzip_and_multipart_bodies_are_read() {
    use std::io::Write as _;
    let world = World::new().await;
    let token = text_token("boss@acme.example", PASSWORD);
    let body = envelope(
        &token,
        "<ns:showCampaign><arg1><internalId>100</internalId></arg1></ns:showCampaign>",
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(body.as_bytes()).expect("memory");
    let packed = packed.finish().expect("memory");
    let reply = world
        .send(
            "POST /SOAPAPI2/CampaignManagementService110",
            &["Content-Encoding: gzip".into()],
            &packed,
        )
        .await;
    assert!(
        reply.body.contains("<externalId>October</externalId>"),
        "{}",
        reply.body
    );
    let xop = envelope(
        &token,
        "<ns:createScriptUsingContent><arg1>Attached</arg1><arg2>a.xml</arg2><arg3><x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:one@x'/></arg3><arg4><internalId>20</internalId></arg4></ns:createScriptUsingContent>",
    );
    let multipart = format!(
        "--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n{xop}\r\n--b\r\nContent-ID: <one@x>\r\n\r\n<text><message>Hello</message></text>\r\n--b--\r\n"
    );
    let header = "Content-Type: multipart/related; boundary=b; start=\"<root>\"".to_owned();
    let reply = world
        .send(
            "POST /SOAPAPI2/CampaignManagementService110",
            &[header],
            multipart.as_bytes(),
        )
        .await;
    assert!(
        reply.body.contains("<externalId>Attached</externalId>"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn the_door_answers_faults() {
    let world = World::new().await;
    let token = text_token("boss@acme.example", PASSWORD);
    let unknown = envelope(&token, "<ns:createNothing/>");
    let foreign = envelope(&token, "<x:showCampaign xmlns:x='urn:other'/>");
    let version_12 =
        "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body/></e:Envelope>"
            .to_owned();
    let header = envelope(&token, "<ns:listScripts/>").replace(
        "<soapenv:Header>",
        "<soapenv:Header><x:y xmlns:x='urn:x' soapenv:mustUnderstand='1'/>",
    );
    let deep = envelope(&token, &("<a>".repeat(70) + &"</a>".repeat(70)));
    for (body, status, code) in [
        (unknown, 500, "soapenv:Client"),
        (foreign, 500, "soapenv:Client"),
        (version_12, 500, "soapenv:VersionMismatch"),
        (header, 500, "soapenv:MustUnderstand"),
        (deep, 400, "soapenv:Client"),
        ("<a/>".to_owned(), 500, "soapenv:Client"),
        ("{}".to_owned(), 400, "soapenv:Client"),
        ("<a".to_owned(), 400, "soapenv:Client"),
        (
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(),
            400,
            "soapenv:Client",
        ),
        (
            envelope("", "<ns:listScripts/>"),
            500,
            "wsse:FailedAuthentication",
        ),
        (
            envelope(
                &text_token("boss@acme.example", "wrong"),
                "<ns:listScripts/>",
            ),
            500,
            "wsse:FailedAuthentication",
        ),
    ] {
        let reply = world
            .send(
                "POST /SOAPAPI2/CampaignManagementService110",
                &[],
                body.as_bytes(),
            )
            .await;
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
        assert!(
            reply
                .body
                .contains(&format!("<faultcode>{code}</faultcode>")),
            "{body}: {}",
            reply.body
        );
    }
    assert_eq!(
        world
            .send("GET /SOAPAPI2/CampaignManagementService110", &[], b"")
            .await
            .status,
        405
    );
    assert_eq!(
        world
            .send("GET /SOAPAPI2/CampaignManagementService111?wsdl", &[], b"")
            .await
            .status,
        404
    );
    let wsdl = world
        .send("GET /SOAPAPI2/CampaignManagementService128?wsdl", &[], b"")
        .await;
    assert!(
        wsdl.body
            .contains("http://localhost/SOAPAPI2/CampaignManagementService128"),
        "{}",
        &wsdl.body[..200]
    );
    let huge = vec![b' '; 17 * 1024 * 1024];
    assert_eq!(
        world
            .send("POST /SOAPAPI2/CampaignManagementService110", &[], &huge)
            .await
            .status,
        413
    );
}

#[tokio::test]
async fn a_base_type_needs_its_xsi_type() {
    let world = World::new().await;
    let call = |owner: &str| {
        format!("<ns:createList><arg1><externalId>new</externalId></arg1>{owner}</ns:createList>")
    };
    for (owner, expected) in [
        (
            "<arg2><internalId>20</internalId></arg2>",
            "ARG_INVALID_TYPE",
        ),
        (
            "<arg2 xsi:type='ns:list'><internalId>20</internalId></arg2>",
            "ARG_INVALID_TYPE",
        ),
        ("<arg2/>", "ARG_NULL"),
        (
            "<arg2 xsi:type='ns:ORG'><internalId>20</internalId></arg2>",
            "<externalId>new</externalId>",
        ),
    ] {
        let reply = world.soap("ContactManagementService", &call(owner)).await;
        assert!(reply.body.contains(expected), "{owner}: {}", reply.body);
    }
}
