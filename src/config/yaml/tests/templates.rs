//! Templates of CloudFormation: short forms, and JSON.

use super::*;

#[track_caller]
fn check_template(text: &str, expected: &str) {
    let drawn = draw_with(parse_template, text);
    assert_eq!(drawn.trim_end(), expected.trim(), "it is:\n{drawn}");
}

#[test]
fn a_short_form_is_the_map_that_it_is_short_for() {
    check_template(
        "a: !Ref Bucket\nb: !GetAtt Function.Arn\nc: !Condition Prod\nd: !Sub '${x}'\n",
        "map @1:1
  a @1:1: map @1:4
    Ref @1:4: plain \"Bucket\" @1:9
  b @2:1: map @2:4
    Fn::GetAtt @2:4: plain \"Function.Arn\" @2:12
  c @3:1: map @3:4
    Condition @3:4: plain \"Prod\" @3:15
  d @4:1: map @4:4
    Fn::Sub @4:4: quoted \"${x}\" @4:9",
    );
}

#[test]
fn short_forms_of_lists_and_maps_and_within_each_other() {
    check_template(
        "a: !Join ['', [x, !Ref P]]\nb: !Sub\n  - ${x}\n  - {x: !Ref P}\n",
        "map @1:1
  a @1:1: map @1:4
    Fn::Join @1:4: list @1:10
      - quoted \"\" @1:11
      - list @1:15
        - plain \"x\" @1:16
        - map @1:19
          Ref @1:19: plain \"P\" @1:24
  b @2:1: map @2:4
    Fn::Sub @2:4: list @3:3
      - plain \"${x}\" @3:5
      - map @4:5
        x @4:6: map @4:9
          Ref @4:9: plain \"P\" @4:14",
    );
}

#[test]
fn an_anchor_holds_the_function_and_not_its_argument() {
    check_template(
        "a: &x !Ref P\nb: *x\n",
        "map @1:1
  a @1:1: map @1:7
    Ref @1:7: plain \"P\" @1:12
  b @2:1: map @1:7 used 2:4
    Ref @1:7: plain \"P\" @1:12",
    );
}

#[test]
fn a_function_of_nothing_and_tags_of_yaml_itself() {
    check_template("!Ref", "map @1:1\n  Ref @1:1: null @1:5");
    check_template("a: !!int 5", "map @1:1\n  a @1:1: plain \"5\" @1:10");
    check_template("a: !!str 5", "map @1:1\n  a @1:1: quoted \"5\" @1:10");
    check_template("a: ! x", "map @1:1\n  a @1:1: quoted \"x\" @1:6");
}

#[test]
fn json_is_read_as_it_is_written_by_programs() {
    check_template(
        "{\n\t\"a\": [\n\t\t1.50,\n\t\ttrue,\n\t\tnull,\n\t\t\"x\\/y \\u00e9\"\n\t],\n\t\"b\":{\"Ref\":\"P\"}\n}\n",
        "map @1:1
  a @2:2: list @2:7
    - plain \"1.50\" @3:3
    - plain \"true\" @4:3
    - null @5:3
    - quoted \"x/y é\" @6:3
  b @8:2: map @8:6
    Ref @8:7: quoted \"P\" @8:13",
    );
}

#[test]
fn json_writes_what_is_beyond_the_first_plane_as_a_pair() {
    check_template(r#"{"a": "\ud83d\ude00"}"#, "map @1:1\n  a @1:2: quoted \"\u{1f600}\" @1:7");
}

#[test]
fn depth_is_limited_functions_included() {
    let nested = |n: usize| format!("{}x{}", "[".repeat(n), "]".repeat(n));
    let of = |text: String| {
        let file = File::new("a.yaml", text);
        parse_template(&file).diagnostics.iter().map(|it| it.render(false)).collect::<Vec<_>>()
    };
    assert_eq!(of(nested(100)), Vec::<String>::new());
    let told = of(nested(200));
    assert!(matches!(told.as_slice(), [one] if one.contains("nested too deeply")), "{told:?}");
}
