use super::*;

fn vary(text: &str) -> Vary {
    text.parse().unwrap()
}

#[test]
fn a_bare_name_is_one_of_the_cluster() {
    assert_eq!(vary("r=1").path(), "cluster.r");
    assert_eq!(vary("duration=1s").path(), "duration");
    assert_eq!(vary("network.loss=0").path(), "network.loss");
    assert_eq!(vary("fault[0].crash.node=1,2").path(), "fault[0].crash.node");
    for bad in ["", "r", "=1", "a..b=1", "fault[x].at=1s", "r=", "r=1,,2", "r=1,1", "seed=1", "r=5..1", "a={"]
    {
        assert!(bad.parse::<Vary>().is_err(), "{bad}");
    }
}

#[test]
fn columns_have_the_type_of_all_values() {
    let column = |text: &str| {
        let column = vary(text).column(|name| name == "partitions");
        (column.name, column.kind)
    };
    assert_eq!(column("r=1,2"), ("r".into(), Kind::Int));
    assert_eq!(column("cluster.r=1,quorum"), ("r".into(), Kind::Text));
    assert_eq!(column("partitions=64"), ("cluster_partitions".into(), Kind::Int));
    assert_eq!(column("network.loss=0,0.5"), ("network_loss".into(), Kind::Float));
    assert_eq!(column("hint_interval=1ms,2s"), ("hint_interval_us".into(), Kind::Int));
    assert_eq!(column("hint_interval=1ns"), ("hint_interval_ns".into(), Kind::Int));
    assert_eq!(column("last_write_wins=true,false"), ("last_write_wins".into(), Kind::Bool));
    assert_eq!(column("fault[0].crash.node=1").0, "fault_0_crash_node");
    assert_eq!(vary("hint_interval=1ms,2s").cells(), [Cell::Int(1_000), Cell::Int(2_000_000)]);
    assert_eq!(vary("network.loss=0,0.5").cells(), [Cell::Float(0.0), Cell::Float(0.5)]);
    assert_eq!(vary("r=1,quorum").cells(), [Cell::Text("1".into()), Cell::Text("quorum".into())]);
}

#[test]
fn ranges_are_as_rust_has_them() {
    assert_eq!(vary("r=1..4"), Vary { text: "1..4".into(), ..vary("r=1,2,3") });
    assert_eq!(vary("r=1..=3").values(), vary("r=1,2,3").values());
}

#[test]
fn tables_and_lists_are_values_too() {
    let whole =
        vary(r#"network.latency={ fixed = { value = "1ms" } },{ uniform = { min = "1ms", max = "2ms" } }"#);
    assert_eq!(whole.values().len(), 2);
    assert!(whole.to_string().starts_with("'network.latency="), "{whole}");
}

#[test]
fn a_value_is_set_where_its_path_leads() {
    let mut scenario: Table = "[cluster]\nn = 3\n[[fault]]\ncrash = { node = 1 }".parse().unwrap();
    vary("r=2").apply(0, &mut scenario).unwrap();
    vary("network.loss=0.5").apply(0, &mut scenario).unwrap();
    vary("fault[0].crash.node=4").apply(0, &mut scenario).unwrap();
    let expected = "[cluster]\nn = 3\nr = 2\n[network]\nloss = 0.5\n[[fault]]\ncrash = { node = 4 }";
    assert_eq!(scenario, expected.parse().unwrap());
    let nowhere = vary("fault[1].crash.node=4").apply(0, &mut scenario).unwrap_err();
    assert_eq!(nowhere, "fault[1].crash.node: there is no [1] in the scenario");
    assert!(vary("cluster.n.x=4").apply(0, &mut scenario).is_err());
}
