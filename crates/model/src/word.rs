//! The enumerations of the specification (`entities.md` 6). Input is matched without case; output is exactly as
//! written here, on every door, in SQL and in the documents.

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* #[doc = concat!("`", $text, "`")] $variant),+ }

        impl $name {
            /// Every word, in the order of the specification.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The texts of all words, in the same order.
            pub const TEXTS: &'static [&'static str] = &[$($text),+];

            /// The word as it is written on the wire.
            pub const fn text(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// Reads a word without regard to case.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.text().eq_ignore_ascii_case(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.text())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.text())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!(concat!("not a ", stringify!($name), ": {}"), text)))
            }
        }
    )+};
}

words! {
    /// Kinds of Org.
    OrgType { SuperEnterprise = "SuperEnterprise", Enterprise = "Enterprise", Account = "Account", ScheduleGroup = "ScheduleGroup" }
    /// How a pass reaches people.
    ChannelType { Voice = "voice", Email = "email", Text = "text", Dialer = "dialer", Preview = "preview", Manual = "manual", Web = "web" }
    /// Kinds of SubCampaign.
    SubCampaignType { Outbound = "Outbound", Inbound = "Inbound", OnDemand = "OnDemand" }
    /// Kinds of OutreachStrategy.
    StrategyType { Scheduled = "Scheduled", OnDemand = "OnDemand" }
    /// How a contact's devices are taken.
    EscalationType { CallPassBased = "CallPassBased", ContactBased = "ContactBased" }
    /// How the rate of a pass is found.
    PacingType { Auto = "Auto", Fixed = "Fixed", Agent = "Agent" }
    /// Kinds of AgentGroup.
    AgentGroupType { Standard = "Standard", Enhanced = "Enhanced", Portal = "Portal", Transfer = "Transfer", Remote = "Remote" }
    /// Kinds of InboundDevice.
    InboundDeviceType { ShortCode = "ShortCode", PhoneNumber = "PhoneNumber", Url = "Url" }
    /// How often an inbound SubCampaign starts anew.
    RestartPeriod { Daily = "Daily", Weekly = "Weekly", Monthly = "Monthly" }
    /// Kinds of ComplianceRule.
    ComplianceType { Date = "Date", Region = "Region", Location = "Location", Attempt = "Attempt", ContactHistory = "ContactHistory" }
    /// Where the zone of a `Local` window comes from.
    TimeZoneSource { Device = "Device", Contact = "Contact", ContactThenDevice = "ContactThenDevice", ContactAndDevice = "ContactAndDevice" }
    /// Whose results a later pass looks at.
    AcceptContactsFrom { AllPasses = "AllPasses", PreviousPass = "PreviousPass" }
    /// Which lines a pass may use.
    AcceptPhoneNumbers { LandlineAndWireless = "LandlineAndWireless", LandlineOnly = "LandlineOnly", WirelessOnly = "WirelessOnly" }
    /// Kinds of List.
    ListType { Standard = "Standard", Suppression = "Suppression", Template = "Template" }
    /// Kinds of Device.
    DeviceType { Home = "Home", Work = "Work", Mobile = "Mobile", Email = "Email" }
    /// Kinds of line.
    LineType { Landline = "Landline", Wireless = "Wireless", Unknown = "Unknown" }
    /// What a User may do.
    Role {
        SystemAdministrator = "SystemAdministrator", EnterpriseManager = "EnterpriseManager",
        AccountManager = "AccountManager", Supervisor = "Supervisor", Agent = "Agent", ApiUser = "ApiUser",
    }
    /// Who calls whom when a voice agent connects.
    RegistrationMethod { DialIn = "DialIn", DialOut = "DialOut" }
    /// States of an agent; how they follow each other is `AgentState::next`.
    AgentState {
        SignedOut = "SignedOut", Disconnected = "Disconnected", Break = "Break", NoWork = "NoWork", Available = "Available",
        Reserved = "Reserved", Preview = "Preview", Launching = "Launching", Whisper = "Whisper", Talking = "Talking",
        Consult = "Consult", Conference = "Conference", Transfer = "Transfer", AfterCallWork = "AfterCallWork",
        Unavailable = "Unavailable",
    }
    /// States of an AgentGroup.
    AgentGroupState { Open = "Open", Paused = "Paused", Closed = "Closed" }
    /// States of a SubCampaign.
    SubCampaignState {
        Loading = "Loading", Pending = "Pending", Running = "Running", Paused = "Paused",
        Stopping = "Stopping", Completing = "Completing", Awaiting = "Awaiting", Done = "Done",
        Cancelled = "Cancelled",
    }
    /// The synthetic states of a sample.
    SyntheticState { Active = "Active", All = "All", Completed = "Completed", Done = "Done" }
    /// States of a pass.
    PassState { Pending = "Pending", Running = "Running", Paused = "Paused", Stopping = "Stopping", Done = "Done", Cancelled = "Cancelled" }
    /// States of a ContactBatch.
    BatchState { Queued = "Queued", Pending = "Pending", Running = "Running", Done = "Done", Cancelled = "Cancelled" }
    /// States of a ContactAttempt.
    AttemptState { Pending = "Pending", Active = "Active", Done = "Done" }
    /// Who began an attempt.
    Direction { Outbound = "Outbound", Inbound = "Inbound" }
    /// States of a Job.
    JobState { Pending = "Pending", Running = "Running", Done = "Done", Failed = "Failed", Cancelled = "Cancelled" }
    /// Kinds of Job.
    JobType { Import = "Import", AddList = "AddList", Analyze = "Analyze", Report = "Report" }
    /// How a person agrees to an Event: not at all, by one message, by one message and its confirmation.
    OptInLevel { None = "None", Single = "Single", Double = "Double" }
    /// States of a Subscription.
    SubscriptionState { OptPending = "OptPending", Confirmed = "Confirmed", OptedOut = "OptedOut" }
    /// States of a Webhook.
    WebhookState { Active = "Active", Failing = "Failing", Disabled = "Disabled" }
    /// States of a WebhookDelivery.
    WebhookDeliveryState { Pending = "Pending", Delivered = "Delivered", Failed = "Failed" }
    /// What a Webhook is told (`api.md` 4.7).
    WebhookEvent {
        SubCampaignStateChanged = "subCampaign.stateChanged", PassStateChanged = "pass.stateChanged",
        ContactBatchStateChanged = "contactBatch.stateChanged", ContactAttemptDone = "contactAttempt.done",
        ContactAttemptInbound = "contactAttempt.inbound", ConsentChanged = "consent.changed",
        SuppressionChanged = "suppression.changed", JobDone = "job.done",
    }
    /// How grave an Error or Warning is.
    Severity { Info = "Info", Warning = "Warning", Error = "Error", Fatal = "Fatal" }
    /// The four kinds of result, each with its own accept set.
    ResultKind { Voice = "voice", Text = "text", Email = "email", Script = "script" }
    /// Results of attempts on every channel (`entities.md` 6; which word belongs to which channel: `AttemptResult::kinds`).
    AttemptResult {
        NotAttempted = "NotAttempted", NotAttemptedSkip = "NotAttemptedSkip", Busy = "Busy", NoAnswer = "NoAnswer",
        NotConnected = "NotConnected", BadDevice = "BadDevice", HangUpOnMachine = "HangUpOnMachine",
        UndeliveredMachine = "UndeliveredMachine", DeliveredMachine = "DeliveredMachine", DeliveredPerson = "DeliveredPerson",
        DeliveredWithoutSuccess = "DeliveredWithoutSuccess", Abandoned = "Abandoned", Unknown = "Unknown", Filtered = "Filtered",
        Failed = "Failed", Success = "Success",
    }
    /// Why a contact was filtered or skipped.
    Reason {
        SuppressedDevice = "SuppressedDevice", SuppressedClientId = "SuppressedClientId", OptedOut = "OptedOut", DateRule = "DateRule",
        RegionRule = "RegionRule", LocationRule = "LocationRule", AttemptRule = "AttemptRule", ContactHistoryRule = "ContactHistoryRule",
        AccountHours = "AccountHours", FilterExpression = "FilterExpression", Duplicate = "Duplicate", NoDevice = "NoDevice",
        BadNumber = "BadNumber", ZoneUnknown = "ZoneUnknown", MissingField = "MissingField", WindowClosed = "WindowClosed",
        Skipped = "Skipped", Expired = "Expired", Removed = "Removed",
    }
    /// The cap that set a rate.
    LimitedBy {
        None = "None", MaxContactsPerMinute = "MaxContactsPerMinute", AccountMaximum = "AccountMaximum",
        Carrier = "Carrier", Agents = "Agents", Compliance = "Compliance", NoContacts = "NoContacts",
    }
    /// What a Script asks of agents.
    AgentNeed { None = "None", Standard = "Standard", Portal = "Portal" }
    /// Kinds of template Script.
    TemplateKind { Alert = "Alert", Survey = "Survey", OptIn = "OptIn", Interactive = "Interactive" }
    /// Days of the week.
    DayOfWeek {
        Monday = "Monday", Tuesday = "Tuesday", Wednesday = "Wednesday", Thursday = "Thursday",
        Friday = "Friday", Saturday = "Saturday", Sunday = "Sunday",
    }
    /// What to do with an answering machine when no message is left.
    OnMachine { HangUp = "HangUp", Continue = "Continue" }
    /// When calls may be recorded.
    CallRecording { Never = "Never", Announced = "Announced", Always = "Always" }
    /// Units of the period of an Attempt or ContactHistory rule.
    PeriodUnit { Hours = "Hours", Days = "Days", CalendarDays = "CalendarDays" }
    /// Whom an Attempt rule counts.
    CountBy { ClientId = "ClientId", Device = "Device" }
    /// Whose attempts an Attempt rule counts.
    RuleScope { Owner = "Owner", Campaign = "Campaign" }
}

impl ChannelType {
    /// The number of the SOAP door (1 voice … 7 web).
    pub const fn number(self) -> u8 {
        match self {
            Self::Voice => 1,
            Self::Email => 2,
            Self::Text => 3,
            Self::Dialer => 4,
            Self::Preview => 5,
            Self::Manual => 6,
            Self::Web => 7,
        }
    }

    /// Reads the word (without case) or the number: both doors take both.
    pub fn parse_wire(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| {
            Self::ALL
                .iter()
                .copied()
                .find(|channel| channel.number().to_string() == text)
        })
    }

    /// The kind of result its attempts end with.
    pub const fn result_kind(self) -> ResultKind {
        match self {
            Self::Text => ResultKind::Text,
            Self::Email => ResultKind::Email,
            Self::Voice | Self::Dialer | Self::Preview | Self::Manual | Self::Web => {
                ResultKind::Voice
            }
        }
    }

    /// Whether its devices are e-mail addresses; all other channels use phones.
    pub const fn uses_email(self) -> bool {
        matches!(self, Self::Email)
    }
}

impl AttemptResult {
    /// Whether the word belongs to this kind of result.
    pub const fn is_of(self, kind: ResultKind) -> bool {
        match kind {
            ResultKind::Voice => !matches!(self, Self::Failed | Self::Success),
            ResultKind::Text | ResultKind::Email => {
                matches!(
                    self,
                    Self::NotAttempted
                        | Self::Failed
                        | Self::Success
                        | Self::Unknown
                        | Self::Filtered
                )
            }
            ResultKind::Script => matches!(self, Self::NotAttempted | Self::Failed | Self::Success),
        }
    }

    /// `entities.md` 9.9: the results that count as delivered.
    pub const fn is_delivered(self) -> bool {
        matches!(
            self,
            Self::DeliveredPerson
                | Self::DeliveredMachine
                | Self::DeliveredWithoutSuccess
                | Self::Success
        )
    }

    /// Whether a finished attempt with this result counts as an attempt at all (`entities.md` 8).
    pub const fn counts_as_attempt(self) -> bool {
        !matches!(
            self,
            Self::Filtered | Self::NotAttempted | Self::NotAttemptedSkip
        )
    }

    /// Minutes until the retry when no rule names the result; none = never (`entities.md` 9.8).
    pub const fn default_retry_minutes(self) -> Option<u32> {
        match self {
            Self::Busy => Some(15),
            Self::NoAnswer => Some(60),
            Self::Abandoned => Some(1_440),
            Self::BadDevice | Self::Filtered | Self::Unknown => None,
            _ => Some(60),
        }
    }
}

impl SubCampaignState {
    /// Whether the state is one of a synthetic state (`api.md` M20.6).
    pub fn is_in(self, synthetic: SyntheticState) -> bool {
        use SubCampaignState::*;
        match synthetic {
            SyntheticState::All => true,
            SyntheticState::Active => {
                matches!(self, Loading | Running | Paused | Pending | Stopping)
            }
            SyntheticState::Completed => matches!(self, Awaiting | Cancelled | Completing | Done),
            SyntheticState::Done => matches!(self, Awaiting | Cancelled | Done),
        }
    }
}

impl DayOfWeek {
    /// The day of a civil date.
    pub fn of(date: jiff::civil::Date) -> Self {
        Self::ALL[date.weekday().to_monday_zero_offset() as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_case_and_written_exactly() {
        assert_eq!(
            SubCampaignState::parse("rUNNING"),
            Some(SubCampaignState::Running)
        );
        assert_eq!(SubCampaignState::Running.text(), "Running");
        assert_eq!(SubCampaignState::parse("Sleeping"), None);
    }

    #[test]
    fn channels_have_numbers() {
        assert_eq!(ChannelType::parse_wire("3"), Some(ChannelType::Text));
        assert_eq!(ChannelType::parse_wire("TEXT"), Some(ChannelType::Text));
        assert_eq!(ChannelType::parse_wire("0"), None);
        assert_eq!(ChannelType::parse_wire("03"), None);
    }

    /// The words of a type that belong to a kind of result.
    fn results_of(kind: ResultKind) -> Vec<&'static str> {
        let all = AttemptResult::ALL.iter().copied();
        all.filter(|result| result.is_of(kind))
            .map(AttemptResult::text)
            .collect()
    }

    /// `entities.md` 6, row by row; then the words that stand in the tables of the entities themselves.
    #[test]
    fn every_word_of_the_specification_is_here_and_no_other() {
        let (voice, text) = (results_of(ResultKind::Voice), results_of(ResultKind::Text));
        let (email, script) = (
            results_of(ResultKind::Email),
            results_of(ResultKind::Script),
        );
        for (name, words, specified) in [
            (
                "orgType",
                OrgType::TEXTS,
                "SuperEnterprise, Enterprise, Account, ScheduleGroup",
            ),
            (
                "channelType",
                ChannelType::TEXTS,
                "voice, email, text, dialer, preview, manual, web",
            ),
            (
                "subCampaignType",
                SubCampaignType::TEXTS,
                "Outbound, Inbound, OnDemand",
            ),
            ("strategyType", StrategyType::TEXTS, "Scheduled, OnDemand"),
            (
                "escalationType",
                EscalationType::TEXTS,
                "CallPassBased, ContactBased",
            ),
            ("pacingType", PacingType::TEXTS, "Auto, Fixed, Agent"),
            (
                "agentGroupType",
                AgentGroupType::TEXTS,
                "Standard, Enhanced, Portal, Transfer, Remote",
            ),
            (
                "inboundDeviceType",
                InboundDeviceType::TEXTS,
                "ShortCode, PhoneNumber, Url",
            ),
            (
                "restartPeriod",
                RestartPeriod::TEXTS,
                "Daily, Weekly, Monthly",
            ),
            (
                "complianceType",
                ComplianceType::TEXTS,
                "Date, Region, Location, Attempt, ContactHistory",
            ),
            (
                "timeZoneSource",
                TimeZoneSource::TEXTS,
                "Device, Contact, ContactThenDevice, ContactAndDevice",
            ),
            (
                "acceptContactsFrom",
                AcceptContactsFrom::TEXTS,
                "AllPasses, PreviousPass",
            ),
            (
                "acceptPhoneNumbers",
                AcceptPhoneNumbers::TEXTS,
                "LandlineAndWireless, LandlineOnly, WirelessOnly",
            ),
            (
                "listType",
                ListType::TEXTS,
                "Standard, Suppression, Template",
            ),
            ("deviceType", DeviceType::TEXTS, "Home, Work, Mobile, Email"),
            ("lineType", LineType::TEXTS, "Landline, Wireless, Unknown"),
            (
                "role",
                Role::TEXTS,
                "SystemAdministrator, EnterpriseManager, AccountManager, Supervisor, Agent, ApiUser",
            ),
            (
                "registrationMethod",
                RegistrationMethod::TEXTS,
                "DialIn, DialOut",
            ),
            (
                "agentState",
                AgentState::TEXTS,
                "SignedOut, Disconnected, Break, NoWork, Available, Reserved, Preview, Launching, Whisper, Talking, Consult, \
                 Conference, Transfer, AfterCallWork, Unavailable",
            ),
            (
                "subCampaignState",
                SubCampaignState::TEXTS,
                "Loading, Pending, Running, Paused, Stopping, Completing, Awaiting, Done, Cancelled",
            ),
            (
                "subCampaignState in samples",
                SyntheticState::TEXTS,
                "Active, All, Completed, Done",
            ),
            (
                "passState",
                PassState::TEXTS,
                "Pending, Running, Paused, Stopping, Done, Cancelled",
            ),
            (
                "contactBatchState",
                BatchState::TEXTS,
                "Queued, Pending, Running, Done, Cancelled",
            ),
            (
                "contactAttemptState",
                AttemptState::TEXTS,
                "Pending, Active, Done",
            ),
            ("direction", Direction::TEXTS, "Outbound, Inbound"),
            (
                "jobState",
                JobState::TEXTS,
                "Pending, Running, Done, Failed, Cancelled",
            ),
            (
                "jobType",
                JobType::TEXTS,
                "Import, AddList, Analyze, Report",
            ),
            ("severity", Severity::TEXTS, "Info, Warning, Error, Fatal"),
            ("optInLevel", OptInLevel::TEXTS, "None, Single, Double"),
            (
                "templateKind",
                TemplateKind::TEXTS,
                "Alert, Survey, OptIn, Interactive",
            ),
            (
                "voice result",
                voice.as_slice(),
                "NotAttempted, NotAttemptedSkip, Busy, NoAnswer, NotConnected, BadDevice, HangUpOnMachine, UndeliveredMachine, \
                 DeliveredMachine, DeliveredPerson, DeliveredWithoutSuccess, Abandoned, Unknown, Filtered",
            ),
            (
                "text result",
                text.as_slice(),
                "NotAttempted, Failed, Success, Unknown, Filtered",
            ),
            (
                "email result",
                email.as_slice(),
                "NotAttempted, Failed, Success, Unknown, Filtered",
            ),
            (
                "script result",
                script.as_slice(),
                "NotAttempted, Failed, Success",
            ),
            (
                "reason",
                Reason::TEXTS,
                "SuppressedDevice, SuppressedClientId, OptedOut, DateRule, RegionRule, LocationRule, AttemptRule, \
                 ContactHistoryRule, AccountHours, FilterExpression, Duplicate, NoDevice, BadNumber, ZoneUnknown, MissingField, \
                 WindowClosed, Skipped, Expired, Removed",
            ),
            (
                "limitedBy",
                LimitedBy::TEXTS,
                "None, MaxContactsPerMinute, AccountMaximum, Carrier, Agents, Compliance, NoContacts",
            ),
            (
                "Webhook.state",
                WebhookState::TEXTS,
                "Active, Failing, Disabled",
            ),
            (
                "WebhookDelivery.state",
                WebhookDeliveryState::TEXTS,
                "Pending, Delivered, Failed",
            ),
            (
                "Org.callRecording",
                CallRecording::TEXTS,
                "Never, Announced, Always",
            ),
            (
                "AgentGroupState.state",
                AgentGroupState::TEXTS,
                "Open, Paused, Closed",
            ),
            (
                "Script.agentNeed",
                AgentNeed::TEXTS,
                "None, Standard, Portal",
            ),
            ("Pass.onMachine", OnMachine::TEXTS, "HangUp, Continue"),
            (
                "ComplianceElement.periodUnit",
                PeriodUnit::TEXTS,
                "Hours, Days, CalendarDays",
            ),
            (
                "ComplianceElement.countBy",
                CountBy::TEXTS,
                "ClientId, Device",
            ),
            (
                "ComplianceElement.scope",
                RuleScope::TEXTS,
                "Owner, Campaign",
            ),
            (
                "Subscription.state",
                SubscriptionState::TEXTS,
                "OptPending, Confirmed, OptedOut",
            ),
            (
                "dayOfWeek",
                DayOfWeek::TEXTS,
                "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
            ),
            (
                "webhook events",
                WebhookEvent::TEXTS,
                "subCampaign.stateChanged, pass.stateChanged, contactBatch.stateChanged, contactAttempt.done, \
                 contactAttempt.inbound, consent.changed, suppression.changed, job.done",
            ),
        ] {
            let sorted = |words: &mut dyn Iterator<Item = &str>| {
                let mut words: Vec<String> = words.map(str::to_owned).collect();
                words.sort();
                words
            };
            assert_eq!(
                sorted(&mut words.iter().copied()),
                sorted(&mut specified.split(", ")),
                "{name}"
            );
        }
        let numbers: Vec<u8> = ChannelType::ALL
            .iter()
            .map(|channel| channel.number())
            .collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    }
}
