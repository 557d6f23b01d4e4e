//! Which names the daemon answers to. A page of somebody else can make its own name point to 127.0.0.1, and would
//! then be allowed to read what is here (DNS rebinding); such a name is not answered.

use std::net::IpAddr;

use axum::http::{Version, header, request::Parts, uri::Authority};

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// HTTP/1.1 needs one (RFC 9112, 3.2).
    Missing,
    /// Neither an IP literal, nor localhost, nor one that the settings name.
    Unknown,
}

/// Every name in the request has to be one of ours; `hosts` in lower case.
pub(super) fn check(request: &Parts, hosts: &[String]) -> Result<(), Refused> {
    let mut named = false;
    if let Some(authority) = request.uri.authority() {
        named = true;
        one(authority, hosts)?;
    }
    for value in request.headers.get_all(header::HOST) {
        named = true;
        let authority = value.to_str().ok().and_then(|it| it.parse::<Authority>().ok());
        one(&authority.ok_or(Refused::Unknown)?, hosts)?;
    }
    if named || request.version == Version::HTTP_10 { Ok(()) } else { Err(Refused::Missing) }
}

fn one(authority: &Authority, hosts: &[String]) -> Result<(), Refused> {
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name);
    let ours = bare.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || hosts.iter().any(|it| it.strip_suffix('.').unwrap_or(it) == name);
    if ours && !authority.as_str().contains('@') { Ok(()) } else { Err(Refused::Unknown) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn checked(host: &str) -> Result<(), Refused> {
        let request = Request::builder().uri("/").header("host", host).body(()).unwrap();
        check(&request.into_parts().0, &["permitd.example.com".to_owned()])
    }

    #[test]
    fn ip_literals_localhost_and_names_of_the_settings_are_answered_to() {
        for ours in [
            "127.0.0.1",
            "127.0.0.1:9187",
            "10.1.2.3:80",
            "[::1]:9187",
            "[fd00::1]",
            "localhost",
            "LOCALHOST:9187",
            "localhost.",
            "permitd.example.com",
            "Permitd.Example.com:443",
        ] {
            assert_eq!(checked(ours), Ok(()), "{ours}");
        }
        for foreign in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "permitd.example.com.evil.example",
            "2130706433x",
            "user@127.0.0.1",
            "",
            "a b",
        ] {
            assert_eq!(checked(foreign), Err(Refused::Unknown), "{foreign}");
        }
    }

    #[test]
    fn each_of_several_names_counts() {
        let two = Request::builder().header("host", "localhost").header("host", "evil.example");
        let two = two.body(()).unwrap().into_parts().0;
        assert_eq!(check(&two, &[]), Err(Refused::Unknown));
        let absolute = Request::builder().uri("http://evil.example/").header("host", "localhost");
        let absolute = absolute.body(()).unwrap().into_parts().0;
        assert_eq!(check(&absolute, &[]), Err(Refused::Unknown));
        let none = Request::builder().uri("/").body(()).unwrap().into_parts().0;
        assert_eq!(check(&none, &[]), Err(Refused::Missing));
    }
}
