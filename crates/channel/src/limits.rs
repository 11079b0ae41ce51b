//! Every bound of the channels, in one place.

use std::time::Duration;

/// Longest PDU taken from a carrier, in bytes. Real ones stay below 70 kB only by message_payload; 64 kB is the most it can hold.
pub const PDU_BYTES_MAX: usize = 65_536;
/// Bytes asked of the socket in one read, and so the most that one turn of a session handles.
pub const READ_BYTES: usize = 65_536;
/// Bytes waiting to be written above which a session neither reads nor submits.
pub const OUTPUT_BYTES_MAX: usize = 262_144;
/// Receipts and messages handed to the engine and not yet acknowledged, per bind; above it the session stops reading.
pub const UNACKNOWLEDGED_MAX: usize = 10_000;
/// Orders waiting in one carrier, whatever its rate.
pub const WAITING_MAX: usize = 100_000;
/// Windows' worth of orders waiting in a carrier without a rate that has not yet shown how fast it is.
pub const WINDOWS_WAITING: usize = 20;
/// Queries waiting in one carrier; more are answered at once as not known.
pub const QUERIES_WAITING_MAX: usize = 10_000;
/// How often one part is offered again after "throttled" or "queue full".
pub const THROTTLED_TRIES_MAX: usize = 30;
/// Orders withdrawn while the carrier had not yet answered them, remembered per carrier in case it says "not now".
pub const RECALLED_MAX: usize = 100_000;
/// How long they are remembered: far above any sensible response time-out, after which an order is a doubt and stays one.
pub const RECALL_KEPT: Duration = Duration::from_secs(600);
/// Longest pause after "throttled".
pub const THROTTLE_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Parts of one message that the concatenation header can number.
pub const PARTS_MAX: usize = 255;
/// Messages from people of which parts are still missing, per carrier.
pub const PARTIAL_MESSAGES_MAX: usize = 1_000;
/// Bytes of one message in parts.
pub const PARTIAL_BYTES_MAX: usize = 40_000;
/// How long missing parts are awaited; then what came is passed on.
pub const PARTIAL_WAIT: Duration = Duration::from_secs(300);
/// Message ids remembered to learn how the receipts of a carrier spell them.
pub const RECENT_IDS_MAX: usize = 65_536;
/// Receipts spelled like their response after which a carrier is taken to spell both alike.
pub const ALIKE_SETTLED: u32 = 200;
/// How often missing parts are looked for.
pub const TIDY_EVERY: Duration = Duration::from_secs(10);
/// How long a session waits for the last responses when it is told to stop.
pub const STOP_WAIT: Duration = Duration::from_secs(5);
/// How long a session waits for the answer to its unbind.
pub const UNBIND_WAIT: Duration = Duration::from_secs(1);
/// Binds of one carrier.
pub const BINDS_MAX: usize = 64;
/// Longest window of one bind.
pub const WINDOW_MAX: usize = 10_000;
/// Orders the loopback channel takes while the engine has not yet read the events of earlier ones.
pub const LOOPBACK_WAITING_MAX: usize = 10_000;
/// Longest line of SMTP that is read; the protocol has 512 bytes for a reply and 1,000 for a line of a mail.
pub const MAIL_LINE_BYTES_MAX: usize = 4_096;
/// Lines of one reply.
pub const MAIL_REPLY_LINES_MAX: usize = 100;
/// Bytes asked of the socket in one read of SMTP.
pub const MAIL_READ_BYTES: usize = 8_192;
/// How often one mail is offered again after 421 or a connection that ended before it had the content.
pub const MAIL_TRIES_MAX: u32 = 30;
/// Connections' worth of mails waiting in a carrier without a rate that has not yet shown how fast it is.
pub const MAILS_WAITING: usize = 50;
/// Longest `public_url`, in bytes.
pub const PUBLIC_URL_BYTES_MAX: usize = 300;
/// Largest bounce that is taken, in bytes: relays return the headers or all of a mail of ours.
pub const BOUNCE_BYTES_MAX: usize = 1_048_576;
/// Connections to the intake of bounces at one time.
pub const INTAKE_CONNECTIONS_MAX: usize = 64;
/// Commands of one connection to the intake.
pub const INTAKE_COMMANDS_MAX: usize = 10_000;
/// How long the intake waits for a sender's next line or the rest of a mail, and for the engine to keep a bounce.
pub const INTAKE_WAIT: Duration = Duration::from_secs(60);
/// Recipients of one report that are looked at.
pub const REPORT_GROUPS_MAX: usize = 100;
/// Pause after the system refused a connection to the intake.
pub const INTAKE_PAUSE: Duration = Duration::from_millis(100);
