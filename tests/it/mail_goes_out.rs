//! Letters by SMTP, to a server that takes them, knows no such mailbox, or does not let us in.

use std::net::SocketAddr;

use lastbite::mail::{Letter, Mail, MailError};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// An SMTP server (RFC 5321) that answers one command in its own way. Hands over what it was sent.
async fn server(command: &'static str, answer: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (taken, letters) = mpsc::channel(8);
    #[expect(clippy::disallowed_methods, reason = "the server of a test runs beside it")]
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let letter = speaks(stream, command, answer).await;
            if taken.send(letter).await.is_err() {
                return;
            }
        }
    });
    (address, letters)
}

async fn speaks(stream: TcpStream, odd: &str, odd_answer: &str) -> String {
    let (reads, mut writes) = stream.into_split();
    let mut lines = BufReader::new(reads).lines();
    let (mut letter, mut in_letter) = (String::new(), false);
    writes.write_all(b"220 mail.example\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        if in_letter && line != "." {
            letter.push_str(&line);
            letter.push('\n');
            continue;
        }
        let verb = if in_letter { "." } else { line.split(' ').next().unwrap() };
        let answer = match verb {
            verb if verb == odd => odd_answer,
            "EHLO" => "250-mail.example\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            _ => "250 ok",
        };
        in_letter = verb == "DATA" && answer.starts_with("354");
        if writes.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    letter
}

async fn sends(address: SocketAddr) -> Result<(), MailError> {
    let mail = Mail::smtp(&format!("smtp://lastbite:secret@{address}"), "Lastbite <no-reply@lastbite.test>").unwrap();
    let (subject, text) = ("[Lastbite] 코드 123456".to_owned(), "안녕하세요.\n123456\n".to_owned());
    mail.send(Letter { to: "mina@example.com".to_owned(), subject, text }).await
}

#[tokio::test]
async fn a_letter_is_taken_as_it_was_written() {
    let (address, mut letters) = server("NOOP", "250 ok").await;
    sends(address).await.unwrap();
    let letter = letters.recv().await.unwrap();
    for line in ["From: Lastbite <no-reply@lastbite.test>", "To: mina@example.com", "Subject: "] {
        assert!(letter.contains(line), "{line}: {letter}");
    }
}

#[tokio::test]
async fn only_an_address_that_is_none_is_given_up() {
    for (command, answer) in [("RCPT", "550 5.1.1 no such user"), ("RCPT", "553 no such name"), ("RCPT", "551 moved")] {
        let (address, _letters) = server(command, answer).await;
        assert!(matches!(sends(address).await, Err(MailError::Address(_))), "{command} {answer}");
    }
    // What is wrong with us, or with the moment, is to be mended, and then the letter goes out.
    for (command, answer) in [
        ("AUTH", "535 5.7.8 wrong password"),
        ("MAIL", "530 5.7.0 sign in first"),
        ("RCPT", "450 4.2.1 busy"),
        ("RCPT", "552 5.2.2 full"),
        ("DATA", "554 5.7.1 refused"),
        (".", "451 4.3.0 try again"),
        ("EHLO", "421 closing"),
    ] {
        let (address, _letters) = server(command, answer).await;
        assert!(matches!(sends(address).await, Err(MailError::NotSent(_))), "{command} {answer}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(sends(nobody).await, Err(MailError::NotSent(_))));
}
