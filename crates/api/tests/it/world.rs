//! The fixture of `api.md` section 3, with its ids, and a client that speaks HTTP to it.

use carillon_api::auth::{Keys, hash_password};
use carillon_api::{ApiState, router};
use carillon_model::attempt::Attempt;
use carillon_model::campaign::Campaign;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::contact::{Contact, Device, DeviceKey};
use carillon_model::contact_batch::ContactBatch;
use carillon_model::entity::{Attributes, Base};
use carillon_model::job::Job;
use carillon_model::list::{List, SuppressionEntry, SuppressionKey};
use carillon_model::moment::{Clock, HOUR, MINUTE};
use carillon_model::org::{Org, Settings};
use carillon_model::pass::Pass;
use carillon_model::run::{BatchRun, Load, Run};
use carillon_model::script::{Content, Script};
use carillon_model::strategy::Strategy;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::user::{ApiKey, Registration, User};
use carillon_model::*;
use carillon_store::{EntityWriteExt as _, Store, Transaction, Urgency};
use rand::SeedableRng as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// 2026-11-24T13:05:09.120Z, a Tuesday.
pub const NOW: Moment = Moment(1_795_525_509_120);
/// The installation's key.
pub const KEY: [u8; 32] = [7; 32];
/// The login password of every User here.
pub const PASSWORD: &str = "correct horse battery";

/// A clock that stands until it is moved.
pub struct Still(pub AtomicI64);

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

/// The world with its doors open.
pub struct World {
    pub state: ApiState,
    pub clock: Arc<Still>,
    address: std::net::SocketAddr,
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl World {
    pub async fn new() -> Self {
        Self::on(true).await
    }

    pub async fn on(trusted: bool) -> Self {
        let store = Store::memory();
        store
            .write_now(Urgency::People, |transaction| fill(transaction))
            .expect("the fixture fits");
        let clock = Arc::new(Still(AtomicI64::new(NOW.0)));
        let chance = rand::rngs::StdRng::seed_from_u64(1);
        let state = ApiState::new(store, Arc::clone(&clock) as Arc<dyn Clock>, chance, &KEY);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let app = router(state.clone(), trusted);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            state,
            clock,
            address,
        }
    }

    /// Sends a request with these header lines.
    pub async fn send(&self, request_line: &str, headers: &[String], body: &[u8]) -> Reply {
        let mut stream = tokio::net::TcpStream::connect(self.address)
            .await
            .expect("it listens");
        let mut head = format!(
            "{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        let body = if head
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked")
        {
            dechunk(body)
        } else {
            body.to_owned()
        };
        Reply {
            status,
            head: head.to_owned(),
            body,
        }
    }

    /// A call of the JSON door by a login.
    pub async fn json(&self, login: &str, line: &str, body: serde_json::Value) -> Reply {
        self.json_with(login, line, &[], body).await
    }

    pub async fn json_with(
        &self,
        login: &str,
        line: &str,
        headers: &[String],
        body: serde_json::Value,
    ) -> Reply {
        let mut all = vec![
            basic(login, PASSWORD),
            "Content-Type: application/json".to_owned(),
        ];
        all.extend_from_slice(headers);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(line, &all, body.as_bytes()).await
    }

    /// A SOAP call of the AccountManager.
    pub async fn soap(&self, service: &str, content: &str) -> Reply {
        self.soap_by("boss@acme.example", service, content).await
    }

    pub async fn soap_by(&self, login: &str, service: &str, content: &str) -> Reply {
        let body = envelope(&text_token(login, PASSWORD), content);
        self.send(
            &format!("POST /SOAPAPI2/{service}110"),
            &["Content-Type: text/xml; charset=utf-8".into()],
            body.as_bytes(),
        )
        .await
    }
}

fn dechunk(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        text.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    text
}

/// An Authorization header.
pub fn basic(login: &str, password: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
    format!("Authorization: Basic {pair}")
}

/// A UsernameToken with its password as text.
pub fn text_token(login: &str, password: &str) -> String {
    format!(
        "<wsse:UsernameToken><wsse:Username>{login}</wsse:Username><wsse:Password Type=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText\">{password}</wsse:Password></wsse:UsernameToken>"
    )
}

/// An envelope as `api.md` 6 writes it.
pub fn envelope(token: &str, content: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns=\"http://www.soundbite.com/SOAPAPI2/110\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Header><wsse:Security xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">{token}</wsse:Security></soapenv:Header>\
         <soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    )
}

fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash_password(PASSWORD, [3; 16]))
}

const MADE: Moment = Moment(NOW.0 - 20 * 24 * HOUR);
const BOSS: UserId = UserId(52);

fn base(id: i64, name: &str) -> Base {
    Base::new(id, name, MADE, BOSS)
}

fn fill(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    transaction.take_ids(100_000)?;
    orgs(transaction)?;
    users(transaction)?;
    campaigns(transaction)?;
    runs(transaction)?;
    rest(transaction)
}

fn orgs(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    let org = |id, name: &str, org_type, parent: Option<i64>, settings| Org {
        base: base(id, name),
        org_type,
        parent: parent.map(OrgId),
        name: name.to_owned(),
        preferences: Attributes::new(),
        settings,
    };
    let master = |id| Settings {
        master_account: Some(OrgId(id)),
        ..Settings::default()
    };
    let north = Settings {
        time_zone: Some("America/New_York".into()),
        default_campaign: Some(CampaignId(100)),
        default_on_demand_strategy: Some(StrategyId(201)),
        first_contact_time: Some(jiff::civil::time(0, 0, 0, 0)),
        last_contact_time: Some(jiff::civil::time(0, 0, 0, 0)),
        ..Settings::default()
    };
    transaction.insert(&org(
        1,
        "root",
        OrgType::SuperEnterprise,
        None,
        Settings::default(),
    ))?;
    transaction.insert(&org(10, "acme", OrgType::Enterprise, Some(1), master(11)))?;
    transaction.insert(&org(
        11,
        "acme-master",
        OrgType::Account,
        Some(10),
        Settings::default(),
    ))?;
    transaction.insert(&org(20, "north", OrgType::Account, Some(10), north))?;
    transaction.insert(&org(
        21,
        "south",
        OrgType::Account,
        Some(10),
        Settings::default(),
    ))?;
    transaction.insert(&org(
        30,
        "desk",
        OrgType::ScheduleGroup,
        Some(20),
        Settings::default(),
    ))?;
    transaction.insert(&org(
        90,
        "other",
        OrgType::Enterprise,
        Some(1),
        Settings::default(),
    ))?;
    transaction.insert(&org(
        91,
        "foreign",
        OrgType::Account,
        Some(90),
        Settings::default(),
    ))
}

fn users(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    for (id, login, home, role) in [
        (50, "root@carillon.example", 1, Role::SystemAdministrator),
        (51, "manager@acme.example", 10, Role::EnterpriseManager),
        (52, "boss@acme.example", 20, Role::AccountManager),
        (53, "agent1@acme.example", 20, Role::Agent),
        (54, "supervisor@acme.example", 20, Role::Supervisor),
        (55, "boss@other.example", 91, Role::AccountManager),
    ] {
        transaction.insert(&User {
            base: base(id, login),
            home: OrgId(home),
            login_enabled: true,
            first_name: "First".into(),
            last_name: "Last".into(),
            roles: vec![role],
            email: None,
            default_phone_number: None,
            locale: None,
            time_zone: None,
            preferences: Attributes::new(),
            password_expiration: None,
            password_change_required: false,
            registration: Registration::default(),
        })?;
        transaction.put_password(UserId(id), password_hash(), MADE)?;
    }
    let keys = Keys::new(&KEY, [0; 32]);
    transaction.put_api_key(&ApiKey {
        id: ApiKeyId(60),
        user: BOSS,
        name: "key".into(),
        created: MADE,
        expires: None,
        hash: keys.hash(&secret()),
        sealed: keys.seal(&secret(), [5; 12]),
    })
}

/// The API secret of boss@acme.example.
pub fn secret() -> String {
    Keys::secret(&[9; 32])
}

fn campaigns(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    let campaign = |id, name: &str, owner| Campaign {
        base: base(id, name),
        owner: OrgId(owner),
        description: Some("Payment reminders".into()),
        default_agent_group: None,
        default_strategy: Some(StrategyId(200)),
        default_script: None,
        template_sub_campaign: None,
        caller_id: Some("+12075550100".into()),
        source_address: None,
        suppression_lists: Vec::new(),
        compliance_rules: Vec::new(),
        start_date: Some(jiff::civil::date(2026, 10, 1)),
        end_date: Some(jiff::civil::date(2027, 12, 31)),
    };
    transaction.insert(&campaign(100, "October", 20))?;
    transaction.insert(&campaign(190, "Theirs", 91))?;
    for (id, name, strategy_type) in [
        (200, "Standard", StrategyType::Scheduled),
        (201, "Default OnDemand", StrategyType::OnDemand),
    ] {
        transaction.insert(&Strategy {
            base: base(id, name),
            owner: OrgId(20),
            strategy_type,
            description: None,
            script: Some(ScriptId(300)),
            escalation_type: EscalationType::CallPassBased,
            passes: vec![Pass::new(PassId(id + 2), "Pass 1", ChannelType::Text)],
            version: 1,
        })?;
    }
    let source = "<text description=\"A reminder\"><message>Hello {{ contact.firstName | default('you') }}.</message>\
                  <reply match=\"C\" set=\"answer=confirmed\" result=\"Success\"><message>Thank you.</message></reply></text>";
    transaction.insert(&Script {
        base: base(300, "Reminder"),
        owner: OrgId(20),
        version: 3,
        description: Some("A reminder".into()),
        is_template: false,
        channel: ChannelType::Text,
        element_names: Vec::new(),
        agent_need: AgentNeed::None,
        template_kind: None,
        duration: None,
    })?;
    transaction.put_script_contents(
        ScriptId(300),
        &[Content {
            name: "reminder.xml".into(),
            data: source.into(),
        }],
    )
}

fn runs(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    for (id, name, state, kind) in [
        (
            600,
            "October-1",
            SubCampaignState::Running,
            SubCampaignType::Outbound,
        ),
        (
            601,
            "September-1",
            SubCampaignState::Done,
            SubCampaignType::Outbound,
        ),
        (
            602,
            "OnD",
            SubCampaignState::Running,
            SubCampaignType::OnDemand,
        ),
    ] {
        let start = NOW.plus(-HOUR);
        transaction.insert(&SubCampaign {
            base: base(id, name),
            campaign: CampaignId(100),
            owner: OrgId(20),
            sub_campaign_type: kind,
            list: (kind == SubCampaignType::Outbound).then_some(ListId(400)),
            script: Some(ScriptId(300)),
            agent_groups: Vec::new(),
            outreach_strategy: Some(StrategyId(200)),
            escalation_type: EscalationType::CallPassBased,
            passes: vec![Pass::new(PassId(id + 10), "Pass 1", ChannelType::Text)],
            intensity: 100,
            start_time: start,
            time_zone: "America/New_York".into(),
            time_zone_source: TimeZoneSource::ContactThenDevice,
            filter: None,
            contact_order: Vec::new(),
            auto_start: true,
            summary_report: false,
            awaiting_hours: 0,
        })?;
        transaction.put_run(&Run {
            id: SubCampaignId(id),
            account: OrgId(20),
            campaign: CampaignId(100),
            run_type: kind,
            state,
            held: false,
            start_time: start,
            end_time: (state == SubCampaignState::Done).then(|| NOW.plus(-MINUTE)),
            passes: vec![PassState::Pending],
            load: Load {
                contact_after: 0,
                done: true,
            },
            awaiting_until: None,
            version: 1,
        })?;
    }
    for (id, name, state) in [
        (700, "batch-1", BatchState::Running),
        (701, "batch-0", BatchState::Done),
    ] {
        transaction.insert(&ContactBatch {
            base: base(id, name),
            owner: OrgId(20),
            campaign: CampaignId(100),
            sub_campaign: SubCampaignId(602),
            outreach_strategy: StrategyId(201),
            script: ScriptId(300),
            agent_group: None,
            agent: None,
            requested_start_time: NOW.plus(-MINUTE),
            max_duration_minutes: 120,
            priority: 5,
        })?;
        transaction.put_batch_run(&BatchRun {
            id: BatchId(id),
            sub_campaign: SubCampaignId(602),
            state,
            start_time: NOW.plus(-MINUTE),
            end_time: NOW.plus(119 * MINUTE),
            finished: None,
            priority: 5,
        })?;
    }
    Ok(())
}

fn rest(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    for (id, name, list_type) in [
        (400, "customers-oct", ListType::Standard),
        (401, "stop", ListType::Suppression),
    ] {
        transaction.insert(&List {
            base: base(id, name),
            owner: OrgId(20),
            name: name.into(),
            description: None,
            list_type,
            required: list_type == ListType::Suppression,
        })?;
    }
    let suppressed = "+12075550112";
    transaction.put_suppressions(
        ListId(401),
        &[SuppressionEntry {
            key: SuppressionKey::Device(DeviceKey::of(suppressed)),
            device: Some(suppressed.into()),
            channel: None,
            expires: None,
            reason: None,
            source: None,
        }],
    )?;
    let device = Device {
        address: "+12075550111".into(),
        device_type: DeviceType::Mobile,
        number: 1,
        time_zone: None,
        line_type: LineType::Unknown,
    };
    let contact = Contact {
        id: ContactId(500),
        container: 400,
        external_id: "C-1001".into(),
        devices: vec![device],
        attributes: [("firstName".to_owned(), "Ann".to_owned())].into(),
    };
    transaction.put_contacts(400, &[contact])?;
    transaction.write_attempts(&[Attempt {
        id: AttemptId(801),
        run: SubCampaignId(600),
        batch: None,
        pass: 0,
        pass_id: PassId(610),
        account: 20,
        contact: ContactId(500),
        device: DeviceKey::of("+12075550111"),
        address: "+12075550111".into(),
        our_address: "55555".into(),
        channel: ChannelType::Text,
        direction: Direction::Outbound,
        number: 1,
        lane: 1,
        rank: 1,
        carrier: "demo".into(),
        text: "Hello Ann.".into(),
        written: NOW.plus(-MINUTE),
        accepted: None,
        parts: 0,
        parts_delivered: 0,
        ended: None,
        result: None,
        reason: None,
        script_result: None,
        carrier_status: None,
        archived: false,
    }])?;
    transaction.insert(&ComplianceRule {
        base: base(900, "Holidays"),
        owner: OrgId(20),
        rule_type: ComplianceType::Date,
        description: None,
        required: true,
        priority: 100,
        effective_from: None,
        effective_to: None,
        source: None,
        channels: Vec::new(),
        version: 1,
        elements: vec![Element {
            date: Some(jiff::civil::date(2026, 12, 25)),
            ..Element::default()
        }],
    })?;
    transaction.insert(&Job {
        base: base(950, ""),
        owner: OrgId(20),
        job_type: JobType::Import,
        state: JobState::Done,
        progress: 100,
        start_time: Some(MADE),
        end_time: Some(MADE),
        subject: 400,
        message: None,
    })?;
    transaction.append_job_result(JobId(950), "rows,1\n")?;
    // A second one is running.
    transaction.insert(&Job {
        base: base(951, ""),
        owner: OrgId(20),
        job_type: JobType::Import,
        state: JobState::Running,
        progress: 40,
        start_time: Some(MADE),
        end_time: None,
        subject: 400,
        message: None,
    })?;
    transaction.put_job_input(JobId(951), b"data")
}
