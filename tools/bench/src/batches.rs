//! Bar 8: SOAP createContactBatch, durable before the answer, beside a bare axum echo of the same 23 kB body. Twenty
//! contacts of twelve attributes and two devices a call, 64 connections of wrk, an API secret as the password.

use crate::server::{Installation, LOGIN};
use crate::{Failure, median};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Contacts of one call.
const CONTACTS: usize = 20;
/// Seconds of one run.
const SECONDS: u32 = 4;
/// Runs of each side, one after the other.
const RUNS: usize = 3;

/// Measures and prints.
pub fn run() -> Result<(), Failure> {
    if !Path::new("/usr/bin/wrk").exists() {
        println!("not measured: wrk is not installed");
        return Ok(());
    }
    let installation = Installation::new()?;
    let server = installation.serve("")?;
    let [campaign, strategy, _] = server.set_up(&installation, &json!({"pacing": "Auto"}))?;
    // Batches start in nine days, so that what is measured is the door and the store, not the sending.
    let body = envelope(
        &installation.account,
        &campaign,
        &strategy,
        &installation.secret,
    );
    let script = installation.file("post.lua");
    std::fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'text/xml'\nwrk.body = [==[{body}]==]\n"
        ),
    )?;
    let echo = start_echo()?;
    let soap = format!("{}/SOAPAPI2/CampaignManagementService110", server.url);
    let (mut ours, mut limit, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let used = server.cpu_seconds();
        let answer = wrk(&soap, &script)?;
        if answer.refused > 0 {
            return Err(format!("{} calls were refused", answer.refused).into());
        }
        cpu.push((server.cpu_seconds() - used) * 1e6 / (answer.rate * f64::from(SECONDS)));
        ours.push(answer.rate);
        limit.push(wrk(&echo, &script)?.rate);
    }
    let (ours, limit) = (median(ours), median(limit));
    println!("body {} bytes, {CONTACTS} contacts", body.len());
    println!(
        "createContactBatch: {ours:.0} calls/s = {:.0} contacts/s, {:.0} us CPU a call",
        ours * CONTACTS as f64,
        median(cpu)
    );
    println!("echo: {limit:.0} calls/s");
    println!("bar 8: {:.3}x (must 0.04x, aim 0.07x)", ours / limit);
    Ok(())
}

struct Answers {
    rate: f64,
    refused: u64,
}

fn wrk(url: &str, script: &Path) -> Result<Answers, Failure> {
    let output = Command::new("wrk")
        .args(["-t1", "-c64", &format!("-d{SECONDS}s"), "-s"])
        .arg(script)
        .arg(url)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = |label: &str| {
        text.lines().find_map(|line| {
            line.trim()
                .strip_prefix(label)
                .map(|rest| rest.trim().to_owned())
        })
    };
    let rate = after("Requests/sec:")
        .ok_or_else(|| format!("wrk said: {text}"))?
        .parse()?;
    let refused = after("Non-2xx or 3xx responses:").map_or(Ok(0), |count| count.parse())?;
    Ok(Answers { rate, refused })
}

/// An echo in this process, on two threads, as the measured limit had.
fn start_echo() -> Result<String, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/", listener.local_addr()?);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime
            .expect("an echo needs a runtime")
            .block_on(async move {
                let router = axum::Router::new().route(
                    "/",
                    axum::routing::post(async |body: axum::body::Bytes| body),
                );
                let listener = tokio::net::TcpListener::from_std(listener)
                    .expect("the listener is not blocking");
                axum::serve(listener, router)
                    .await
                    .expect("the echo serves until the process ends");
            });
    });
    Ok(url)
}

fn envelope(account: &str, campaign: &str, strategy: &str, secret: &str) -> String {
    const WSSE: &str =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    const TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
    let mut contacts = String::new();
    for index in 0..CONTACTS {
        contacts += &format!("<arg2><externalId>C-{index:05}</externalId>");
        for device in 0..2 {
            contacts += &format!(
                "<devices><externalId>+1207555{:04}</externalId><type>Mobile</type></devices>",
                100 + index * 2 + device
            );
        }
        for other in 1..=12 {
            contacts += &format!(
                "<attributes><name>other{other}</name><value>value {other} of contact {index:05}</value></attributes>"
            );
        }
        contacts += "</arg2>";
    }
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns=\"http://www.soundbite.com/SOAPAPI2/110\">\
         <soapenv:Header><wsse:Security xmlns:wsse=\"{WSSE}\"><wsse:UsernameToken><wsse:Username>{LOGIN}</wsse:Username>\
         <wsse:Password Type=\"{TEXT}\">{secret}</wsse:Password></wsse:UsernameToken></wsse:Security></soapenv:Header>\
         <soapenv:Body><ns:createContactBatch><arg1><owner><internalId>{account}</internalId></owner>\
         <campaign><internalId>{campaign}</internalId></campaign><outreachStrategy><internalId>{strategy}</internalId></outreachStrategy>\
         <requestedStartTime>{}</requestedStartTime><maxDuration>60</maxDuration></arg1>{contacts}</ns:createContactBatch></soapenv:Body></soapenv:Envelope>",
        nine_days_ahead()
    )
}

/// A dateTime nine days from now, by the machine's clock.
fn nine_days_ahead() -> String {
    let output = Command::new("date")
        .args(["-u", "-d", "+9 days", "+%Y-%m-%dT%H:%M:%SZ"])
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
