//! One bad change to an otherwise valid call, and the one code it answers (`api.md` 3), through the SOAP door.

use crate::world::World;

const ORG: &str = "<arg2><internalId>20</internalId></arg2>";

fn campaign(fields: &str, org: &str) -> String {
    format!("<ns:createCampaign><arg1>{fields}</arg1>{org}</ns:createCampaign>")
}

fn strategy(fields: &str) -> String {
    format!("<ns:createOutreachStrategy><arg1>{fields}</arg1>{ORG}</ns:createOutreachStrategy>")
}

fn batch(fields: &str, rest: &str) -> String {
    format!("<ns:createContactBatch><arg1>{fields}</arg1>{rest}</ns:createContactBatch>")
}

const CONTACT: &str = "<arg2><devices><externalId>+12075550111</externalId></devices></arg2>";
const BATCH: &str = "<owner><internalId>20</internalId></owner><maxDuration>60</maxDuration>";

fn rule(fields: &str, org: &str) -> String {
    format!("<ns:createComplianceRule><arg1>{fields}</arg1>{org}</ns:createComplianceRule>")
}

fn attempts(sample: &str, rest: &str) -> String {
    format!(
        "<ns:listContactAttempts><arg1><internalId>20</internalId></arg1>{sample}{rest}</ns:listContactAttempts>"
    )
}

fn cases() -> Vec<(String, &'static str)> {
    let long = "x".repeat(65);
    let text_256 = "x".repeat(256);
    let name = "<externalId>Fresh</externalId>";
    let super_enterprise = "<arg2><internalId>1</internalId></arg2>";
    let mut cases = vec![
        // M5, row by row.
        (campaign(name, "<arg2><externalId>root</externalId><type>SuperEnterprise</type></arg2>"), "ARG_INVALID_TYPE"),
        (campaign(&format!("{name}<attributes><name>startDate</name><value>soon</value></attributes>"), ORG), "ARG_INVALID_TYPE"),
        (campaign(name, ""), "ARG_NULL"),
        (campaign("<externalId>A&lt;B</externalId>", ORG), "ATTRIBUTE_INVALID_CHAR"),
        (campaign("<description>d</description>", ORG), "ATTRIBUTE_NULL"),
        (campaign(&format!("{name}<description>{text_256}</description>"), ORG), "ATTRIBUTE_TRUNCATED"),
        (campaign(&format!("<externalId>{long}</externalId>"), ORG), "ATTRIBUTE_TRUNCATED"),
        (campaign("<externalId>october</externalId>", ORG), "OBJECT_EXISTS"),
        (campaign(name, "<arg2><internalId>999999</internalId></arg2>"), "OBJECT_NOT_EXISTS"),
        (campaign(name, "<arg2><internalId>91</internalId></arg2>"), "OBJECT_NOT_EXISTS"),
        (campaign(&format!("{name}<defaultAgentGroup><internalId>999999</internalId></defaultAgentGroup>"), ORG), "OBJECT_NOT_EXISTS"),
        (campaign(&format!("{name}<nonsense>1</nonsense>"), ORG), "ARG_INVALID_TYPE"),
        (campaign(&format!("{name}<createdDate>2026-01-01</createdDate>"), ORG), "ARG_INVALID_TYPE"),
        (campaign(&format!("{name}<attributes><name>a b</name><value>1</value></attributes>"), ORG), "ARG_INVALID_TYPE"),
        (campaign(&format!("{name}<attributes><name>note</name></attributes>"), ORG), "ATTRIBUTE_NULL"),
        (campaign(&format!("{name}<attributes><name>endDate</name><value>2026-01-01</value></attributes><attributes><name>startDate</name><value>2026-02-01</value></attributes>"), ORG), "ARG_INVALID_TYPE"),
        // The stage decides, not the order in the request.
        (campaign(&format!("<externalId>{long}</externalId><nonsense/>"), ORG), "ARG_INVALID_TYPE"),
        (campaign(&format!("<externalId>{long}</externalId>"), ""), "ARG_NULL"),
        // M6.
        ("<ns:showCampaign/>".into(), "ARG_NULL"),
        ("<ns:showCampaign><arg1><description>x</description></arg1></ns:showCampaign>".into(), "ATTRIBUTE_NULL"),
        ("<ns:showCampaign><arg1><internalId>abc</internalId></arg1></ns:showCampaign>".into(), "OBJECT_NOT_EXISTS"),
        ("<ns:showCampaign><arg1><internalId>190</internalId></arg1></ns:showCampaign>".into(), "OBJECT_NOT_EXISTS"),
        ("<ns:showCampaign><arg1><externalId>October</externalId><owner><externalId>north</externalId></owner></arg1></ns:showCampaign>".into(), "ATTRIBUTE_NULL"),
        // M7.
        ("<ns:listCampaigns><arg1><internalId>20</internalId><type>ScheduleGroup</type></arg1></ns:listCampaigns>".into(), "ARG_INVALID_TYPE"),
        ("<ns:listCampaigns><arg1><internalId>20</internalId><type>Enterprise</type></arg1></ns:listCampaigns>".into(), "OBJECT_NOT_EXISTS"),
        ("<ns:listCampaigns><arg1><internalId>20</internalId></arg1><arg2>yesterday</arg2></ns:listCampaigns>".into(), "ARG_INVALID_TYPE"),
        ("<ns:listCampaigns><arg1><internalId>20</internalId></arg1><arg2>2026-02-01</arg2><arg3>2026-01-01</arg3></ns:listCampaigns>".into(), "ARG_INVALID_TYPE"),
        // M9.
        (strategy("<externalId>Std&amp;1</externalId>"), "ARG_INVALID_CHAR"),
        (strategy(&format!("{name}<passes><channel>9</channel></passes>")), "ARG_INVALID_DATA"),
        (strategy(&format!("{name}<passes><channel>3</channel><pacing>Agent</pacing></passes>")), "ARG_INVALID_DATA"),
        (strategy(&format!("{name}<passes><channel>3</channel><pacing>Fixed</pacing><contactsPerMinute>0</contactsPerMinute></passes>")), "ARG_INVALID_DATA"),
        (strategy(&format!("{name}<passes><channel>3</channel><contactsPerMinute>5</contactsPerMinute></passes>")), "ARG_INVALID_DATA"),
        (strategy("<description>x</description>"), "ARG_NULL"),
        (strategy(&format!("<externalId>{long}</externalId>")), "ARG_TOO_LARGE"),
        (strategy(&format!("{name}{}", "<passes><channel>3</channel></passes>".repeat(21))), "ARG_TOO_LARGE"),
        (strategy("<externalId>standard</externalId>"), "OBJECT_EXISTS"),
        (strategy(&format!("{name}<script><internalId>999999</internalId></script>")), "OBJECT_NOT_EXISTS"),
        // M23.
        (batch(&BATCH.replace("20", "10"), CONTACT), "ARG_INVALID_TYPE"),
        (batch(BATCH, &format!("{CONTACT}<arg3><externalId>x</externalId></arg3>")), "ARG_INVALID_TYPE"),
        (batch(&BATCH.replace("60", "soon"), CONTACT), "ARG_INVALID_TYPE"),
        (batch(&BATCH.replace("60", "0"), CONTACT), "ARG_INVALID_TYPE"),
        (batch(&format!("{BATCH}<agent><externalId>boss@acme.example</externalId></agent>"), CONTACT), "ARG_INVALID_TYPE"),
        (batch(BATCH, ""), "ARG_NULL"),
        (batch("<maxDuration>60</maxDuration>", CONTACT), "ARG_NULL"),
        (batch("<owner><internalId>20</internalId></owner>", CONTACT), "ARG_NULL"),
        (batch(BATCH, &CONTACT.repeat(101)), "ARG_TOO_LARGE"),
        (batch(&BATCH.replace("60", "721"), CONTACT), "ARG_TOO_LARGE"),
        (batch(&format!("{BATCH}<requestedStartTime>2026-12-04T13:06:10Z</requestedStartTime>"), CONTACT), "ARG_TOO_LARGE"),
        (batch(&format!("<externalId>Batch-1</externalId>{BATCH}"), CONTACT), "OBJECT_EXISTS"),
        (batch(&format!("{BATCH}<outreachStrategy><internalId>999999</internalId></outreachStrategy>"), CONTACT), "OBJECT_NOT_EXISTS"),
        (batch(&format!("<internalId>999999</internalId>{BATCH}"), CONTACT), "OBJECT_NOT_EXISTS"),
        (batch("<internalId>701</internalId>", CONTACT), "INVALID_STATE"),
        (batch(BATCH, "<arg2><devices><externalId>1</externalId><colour>red</colour></devices></arg2>"), "ARG_INVALID_TYPE"),
        // M15.
        ("<ns:createSubCampaign><arg1><campaign><internalId>100</internalId></campaign></arg1><arg4><internalId>20</internalId></arg4></ns:createSubCampaign>".into(), "ARG_NULL"),
        ("<ns:createSubCampaign><arg1><campaign><internalId>100</internalId></campaign><externalId>October-1</externalId></arg1><arg2><internalId>400</internalId></arg2><arg4><internalId>20</internalId></arg4></ns:createSubCampaign>".into(), "OBJECT_EXISTS"),
        ("<ns:createSubCampaign><arg1><campaign><internalId>100</internalId></campaign><filter>state Like Maine</filter></arg1><arg2><internalId>400</internalId></arg2><arg4><internalId>20</internalId></arg4></ns:createSubCampaign>".into(), "ARG_INVALID_TYPE"),
        ("<ns:createSubCampaign><arg1><campaign><internalId>100</internalId></campaign><intensity>5000</intensity></arg1><arg2><internalId>400</internalId></arg2><arg4><internalId>20</internalId></arg4></ns:createSubCampaign>".into(), "ARG_INVALID_TYPE"),
        // M19, M20, M21, M25, M27.
        ("<ns:showSubCampaignState><arg1><externalId>October-1</externalId></arg1></ns:showSubCampaignState>".into(), "ARG_NULL"),
        ("<ns:showSubCampaignState><arg1 xsi:type='ns:campaign'><internalId>600</internalId></arg1></ns:showSubCampaignState>".into(), "ARG_INVALID_TYPE"),
        ("<ns:listSubCampaignStates><arg1><internalId>20</internalId></arg1><arg2><state>Running</state></arg2></ns:listSubCampaignStates>".into(), "ARG_INVALID_TYPE"),
        ("<ns:listSubCampaignStates><arg1><internalId>20</internalId></arg1><arg2><subCampaign><campaign><internalId>999999</internalId></campaign></subCampaign></arg2></ns:listSubCampaignStates>".into(), "OBJECT_NOT_EXISTS"),
        ("<ns:changeSubCampaignState><arg1><subCampaign><internalId>600</internalId></subCampaign><state>Sleeping</state></arg1></ns:changeSubCampaignState>".into(), "ARG_INVALID_TYPE"),
        ("<ns:changeSubCampaignState><arg1><subCampaign><internalId>600</internalId></subCampaign></arg1></ns:changeSubCampaignState>".into(), "ARG_NULL"),
        ("<ns:changeSubCampaignState><arg1><subCampaign><internalId>601</internalId></subCampaign><state>Running</state></arg1></ns:changeSubCampaignState>".into(), "INVALID_STATE"),
        ("<ns:showContactBatchState><arg1><externalId>none-such</externalId></arg1></ns:showContactBatchState>".into(), "OBJECT_NOT_EXISTS"),
        ("<ns:changeContactBatchState><arg1><contactBatch><internalId>701</internalId></contactBatch><state>Cancelled</state></arg1></ns:changeContactBatchState>".into(), "INVALID_STATE"),
        ("<ns:changeContactBatchState><arg1><contactBatch><internalId>700</internalId></contactBatch><state>Running</state></arg1></ns:changeContactBatchState>".into(), "ARG_INVALID_TYPE"),
        // M28, M29.
        (rule("<type>Region</type><elements><region>US</region></elements>", ORG), "ARG_INVALID_TYPE"),
        (rule("<type>Date</type><elements><date>2026-12-24</date></elements><elements><date>2027-01-01</date></elements>", ORG), "ARG_INVALID_TYPE"),
        (rule("<type>Weather</type><elements><date>2026-12-24</date></elements>", ORG), "ARG_INVALID_TYPE"),
        (rule("<type>Attempt</type><elements><count>0</count><period>1</period></elements>", ORG), "ARG_INVALID_TYPE"),
        (rule("<type>Date</type><elements><date>2028-01-01</date></elements>", ORG), "ARG_INVALID_TYPE"),
        (rule("<elements><date>2026-12-24</date></elements>", ORG), "ATTRIBUTE_NULL"),
        (rule("<type>Date</type>", ORG), "ATTRIBUTE_NULL"),
        (rule("<type>Date</type><elements><allowed>true</allowed></elements>", ORG), "ATTRIBUTE_NULL"),
        (rule("<externalId>holidays</externalId><type>Date</type><elements><date>2026-12-24</date></elements>", ORG), "OBJECT_EXISTS"),
        (rule("<type>Date</type><elements><date>2026-12-24</date></elements>", super_enterprise), "OBJECT_NOT_EXISTS"),
        ("<ns:deleteComplianceRule><arg1><externalId>Holidays</externalId></arg1></ns:deleteComplianceRule>".into(), "ARG_NULL"),
        // M33, M34.
        ("<ns:showContactAttempts/>".into(), "ARG_NULL"),
        ("<ns:showContactAttempts><arg1/></ns:showContactAttempts>".into(), "ARG_NULL"),
        ("<ns:showContactAttempts><arg1><internalId>801</internalId></arg1><arg1><internalId>999999</internalId></arg1></ns:showContactAttempts>".into(), "OBJECT_NOT_EXISTS"),
        (format!("<ns:showContactAttempts>{}</ns:showContactAttempts>", "<arg1><internalId>801</internalId></arg1>".repeat(101)), "ARG_TOO_LARGE"),
        (attempts("", ""), "ARG_NULL"),
        (attempts("<arg2><contact><devices><externalId>12ab</externalId></devices></contact></arg2>", ""), "ARG_INVALID_TYPE"),
        (attempts("<arg2><state>Done</state></arg2>", ""), "ARG_NULL"),
        (attempts("<arg2><contact><externalId>C-1</externalId></contact></arg2>", "<arg3>2026-01-02</arg3><arg4>2026-01-01</arg4>"), "ARG_INVALID_TYPE"),
    ];
    // M2.
    let script = |name: &str, rest: &str, org: &str| {
        format!(
            "<ns:createScriptUsingContent><arg1>{name}</arg1>{rest}{org}</ns:createScriptUsingContent>"
        )
    };
    let org = "<arg4><internalId>20</internalId></arg4>";
    let good = "<arg2>a.xml</arg2><arg3>PHRleHQ+PG1lc3NhZ2U+SGk8L21lc3NhZ2U+PC90ZXh0Pg==</arg3>";
    cases.extend([
        (script("Bad&lt;Name", good, org), "ARG_INVALID_CHAR"),
        (
            script("Fresh", "<arg2>run.exe</arg2><arg3>AAAA</arg3>", org),
            "ARG_INVALID_DATA",
        ),
        (
            script("Fresh", &format!("{good}<arg2>b.js</arg2>"), org),
            "ARG_INVALID_DATA",
        ),
        (
            script("Fresh", "<arg2>a.xml</arg2><arg3>PHRleHQ+</arg3>", org),
            "ARG_INVALID_DATA",
        ),
        // An e-mail, which no carrier of this version sends.
        (
            script("Fresh", "<arg2>a.xml</arg2><arg3>PGVtYWlsPjxmcm9tIG5hbWU9J0EnLz48c3ViamVjdD5TPC9zdWJqZWN0Pjx0ZXh0PlQ8L3RleHQ+PC9lbWFpbD4=</arg3>", org),
            "ARG_INVALID_DATA",
        ),
        (script("", good, org), "ARG_NULL"),
        (script(&long, good, org), "ARG_TOO_LARGE"),
        (
            script("Fresh", good, "<arg4><externalId>north</externalId></arg4>"),
            "ATTRIBUTE_NULL",
        ),
        (script("reminder", good, org), "OBJECT_EXISTS"),
        (
            script(
                "Fresh",
                good,
                "<arg4><internalId>999999</internalId></arg4>",
            ),
            "OBJECT_NOT_EXISTS",
        ),
    ]);
    cases
}

#[tokio::test]
async fn each_bad_call_has_one_answer() {
    let world = World::new().await;
    for (call, code) in cases() {
        let reply = world.soap("CampaignManagementService", &call).await;
        let found = reply
            .body
            .split("<code>")
            .nth(1)
            .and_then(|rest| rest.split('<').next());
        assert_eq!(
            found,
            Some(code),
            "{}\n{}",
            call.chars().take(400).collect::<String>(),
            reply.body
        );
    }
}

#[tokio::test]
async fn limits_and_large_results_are_told() {
    let world = World::new().await;
    let change = "<ns:changeOrg><arg1><internalId>20</internalId><attributes><name>limit.campaign.available</name><value>1</value></attributes>\
                  <attributes><name>limit.result.listCampaigns</name><value>0</value></attributes></arg1></ns:changeOrg>";
    let denied = world.soap("OrganizationManagementService", change).await;
    assert!(denied.body.contains("ACCESS_DENIED"), "{}", denied.body);
    let changed = world
        .soap_by(
            "manager@acme.example",
            "OrganizationManagementService",
            change,
        )
        .await;
    assert!(
        changed.body.contains("limit.campaign.available"),
        "{}",
        changed.body
    );
    let full = world
        .soap(
            "CampaignManagementService",
            &campaign("<externalId>Fresh</externalId>", ORG),
        )
        .await;
    assert!(full.body.contains("SYSTEM_LIMIT_EXCEEDED"), "{}", full.body);
    let large = world
        .soap(
            "CampaignManagementService",
            "<ns:listCampaigns><arg1><internalId>20</internalId></arg1></ns:listCampaigns>",
        )
        .await;
    assert!(large.body.contains("RESULT_TOO_LARGE"), "{}", large.body);
}
