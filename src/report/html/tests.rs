//! What the policy in the head of the page promises.

use super::assets;

#[test]
fn style_and_script_end_where_they_end() {
    for text in [assets::style(), assets::script()] {
        let text = text.into_string();
        assert_eq!(text.matches("</").count(), 1, "{text}");
        assert!(!text.contains("<!--"), "{text}");
    }
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let policy = assets::policy();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
}
