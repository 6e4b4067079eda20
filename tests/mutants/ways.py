"""The faults that are planted in src/reach, where paths, cuts and survival are worked out: name, file, exact text, what
stands there instead. tests/it/open_paths.rs judges them by brute force."""

FAULTS = [
    ("ways-one-way-leads-back", "ground.rs", "            if conduit.both_ways {\n", "            if true {\n"),
    ("ways-cut-conduits-still-lead", "ground.rs", "|ix, conduit_out_of_band| conduit_out_of_band || !cut.has(ix.0)", "|_, _| true"),
    ("ways-out-of-band-is-cut", "ground.rs", "conduit_out_of_band || !cut.has(ix.0)", "!cut.has(ix.0)"),
    ("ways-path-through-another-attacker", "paths.rs", "ground.next(zone).difference(from).copied().collect()", "ground.next(zone)"),
    ("ways-zone-entered-twice", "paths.rs", " && !barred.contains(zone) {", " {"),
    ("ways-siblings-forgotten", "paths.rs", "            self.add_best(&best.zones[..at], barred);", "            if at > 0 {\n                self.add_best(&best.zones[..at], barred);\n            }"),
    ("ways-many-counted-as-some", "paths.rs", "many if many > PATHS_COUNTED_MAX - PATHS_LISTED_MAX", "many if many > PATHS_COUNTED_MAX"),
    ("ways-cut-by-nobody-preferred", "cut.rs", "(false, None) => self.each + 1", "(false, None) => self.each - 1"),
    ("ways-out-of-band-in-the-cut", "cut.rs", "(true, _) => self.endless", "(true, _) => self.each"),
    ("ways-impossible-cut-promised", "cut.rs", "        return SmallestCut::Impossible(path);", "        let _ = path;"),
    ("ways-wrong-side-of-the-cut", "cut.rs", "            .filter(|edge| flows[edge.id().index()] > 0);", "            .filter(|_| false);"),
    ("ways-need-backwards", "survival.rs", "true => ground.leads_straight(from, to)", "true => ground.leads_straight(to, from)"),
    ("ways-proxy-forgotten", "survival.rs", "false => ground.leads(from, to)", "false => false"),
    ("ways-only-direct-loss", "survival.rs", "                new.push_back(*service);\n", ""),
    ("ways-pivot-called-direct", "matrix.rs", "() if within.contains(&to) => Link::Pivot", "() if within.contains(&to) => Link::Direct"),
]
