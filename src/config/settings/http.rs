//! `http`: where the daemon is watched, and by which names it may be called there.

use core::net::SocketAddr;

use super::{Http, scalar, set, values};
use crate::config::walk::{Item, Text, Walker};

/// Of `http`.
pub(in crate::config) const KEYS: &[&str] = &["listen", "hosts"];

pub(super) fn read<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>, http: &mut Http) {
    for item in walker.map(root, "`http`").into_iter().flatten() {
        match item.key {
            "listen" => {
                let listen: Option<SocketAddr> = scalar(walker, item, values::parse_address);
                set(&mut http.listen, listen.map(Some));
            }
            "hosts" => {
                let items = walker.list(item, "hosts: [permitd.example.com]");
                let texts: Vec<Text<'a>> =
                    items.into_iter().flatten().filter_map(|it| walker.text(it)).collect();
                http.hosts = texts.into_iter().filter_map(|it| host(walker, it)).collect();
            }
            _ => {
                walker.unknown(item, "`http`", KEYS);
            }
        }
    }
}

/// A name as it stands in a Host header, without a port: that is not looked at.
fn host<'a>(walker: &mut Walker<'a>, Text { text, spot }: Text<'a>) -> Option<String> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_');
    if !text.is_empty() && text.chars().all(is_name) {
        return Some(text.to_ascii_lowercase());
    }
    let message = format!("`{text}` is not a host name");
    walker.advise(spot, message, "write the name alone, without a scheme and a port");
    None
}
