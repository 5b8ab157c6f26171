//! Answers that break off on a real connection, as a proxy or a restart cuts them: most of them HTTP itself betrays.

use super::answers::whole_answer;
use super::secrets::account_at;
use crate::aws::{ObserveError, client};
use crate::world::{Coverage, World};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// How an endpoint sends an answer.
type Send = fn(&str) -> String;

/// More connections than two listings with two attempts each make.
const CONNECTIONS_MAX: usize = 10;

/// What an account shows whose endpoint sends its answers that way and closes each connection then.
async fn observe(send: Send) -> Result<World, ObserveError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        listener.incoming().take(CONNECTIONS_MAX).for_each(|stream| serve(stream.unwrap(), send))
    });
    account_at(&endpoint, client::https(), super::WithoutPauses)
        .observe(&super::policy(&[("auto-backup", "dlm")]))
        .await
}

fn serve(mut stream: TcpStream, send: Send) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let action = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).into_owned();
        // The form's last field, the size of a page.
        text.contains("MaxResults=")
            .then(|| text.split("Action=").nth(1).unwrap().split('&').next().unwrap().to_owned())
    };
    while action(&request).is_none() {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
    }
    let answer = send(whole_answer(&action(&request).unwrap()));
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n").unwrap();
    stream.write_all(answer.as_bytes()).unwrap();
}

/// The first half of a listing, up to the end of its first item.
fn half(body: &str) -> &str {
    body.split_inclusive("</tagSet>").next().unwrap()
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_view() {
    let cut_off: [Send; 3] = [
        // Nothing tells HTTP where the answer ends: only what it holds does.
        |body| format!("\r\n{}", half(body)),
        |body| format!("Content-Length: {}\r\n\r\n{}", body.len(), half(body)),
        |body| format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n", half(body).len(), half(body)),
    ];
    for send in cut_off {
        let seen = observe(send).await;
        assert!(matches!(seen, Err(ObserveError::Unavailable(_))), "{seen:?}");
    }
    let whole: [Send; 2] = [
        |body| format!("\r\n{body}"),
        |body| format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
    ];
    for send in whole {
        let seen = observe(send).await.unwrap();
        assert_eq!((seen.snapshots.len(), seen.coverage), (2, Coverage::Complete));
    }
}
