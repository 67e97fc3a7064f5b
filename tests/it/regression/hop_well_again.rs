//! A next hop that had been spoken to, went down and came back stayed down for `/health` until a mail tried it; a balancer that asks `/health` sends
//! none, so that zegel never came back. The log said every five seconds that it could be reached again. Found by reading `Route::learn`.

use crate::world::listen;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use zegel::{
    address::Address,
    smtp::client::{ClientOptions, NextHop, Routes},
};

/// Greets, and says yes to whatever it is told, one connection at a time, until it is aborted.
fn agreeable(listener: TcpListener) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut line = "220 hop.example\r\n".to_owned();
            loop {
                let answer = if line.starts_with("220") { &line } else { "250 hop.example\r\n" };
                stream.write_all(answer.as_bytes()).await.unwrap();
                line.clear();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    break;
                }
            }
        }
    })
}

async fn again_at(address: SocketAddr) -> JoinHandle<()> {
    agreeable(TcpListener::bind(address).await.unwrap())
}

#[tokio::test]
async fn a_next_hop_that_is_down_is_asked_although_it_was_known() {
    let (listener, address) = listen().await;
    let hop = agreeable(listener);
    let routes = Routes::only(NextHop::plain(&address.ip().to_string(), address.port()), ClientOptions::new("gw.example"));
    routes.learn().await.unwrap();
    assert!(routes.is_up());
    hop.abort();
    let _ = hop.await;
    assert!(routes.of(&Address::parse("a@b.example").unwrap()).begin().await.is_err());
    assert!(!routes.is_up());
    assert!(routes.learn().await.is_err(), "it is still down");
    let _hop = again_at(address).await;
    routes.learn().await.unwrap();
    assert!(routes.is_up());
}
