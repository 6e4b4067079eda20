//! Every fixed word of a report, in every language. The enum is closed: a phrase without a translation does not
//! compile. Japanese follows the terms of Japanese public bodies (遮断, 復旧, 第一報, 証跡, 改善事項).

use super::lang::Lang;

/// One line a phrase: its name, English, Japanese. `{0}`, `{1}` … are filled in.
macro_rules! phrases {
    ($($Name:ident: $en:literal, $ja:literal;)*) => {
        /// A fixed phrase.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Phrase { $(#[doc = concat!("`", $en, "`")] $Name),* }

        impl Phrase {
            /// Every phrase there is.
            pub const ALL: &[Phrase] = &[$(Phrase::$Name),*];

            /// The phrase in a language, with its placeholders.
            pub fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Phrase::$Name, Lang::En) => $en, (Phrase::$Name, Lang::Ja) => $ja,)*
                }
            }
        }
    };
}

phrases! {
    // The page and its parts.
    Report: "Report of a run", "実行報告書";
    Exercise: "EXERCISE: not a real incident", "【訓練】実際のインシデントではありません";
    Contents: "Contents", "目次";
    InShort: "What happened", "概要";
    Objectives: "Objectives", "目標の達成状況";
    Timeline: "Timeline", "時系列";
    CriticalPath: "Critical path that was taken", "実際の所要時間を決めた経路（クリティカルパス）";
    Waits: "What was waited for", "待機の内訳";
    PlanAndActual: "Plan against actual", "計画と実績";
    Graph: "Steps and what they need", "手順の依存関係と結果";
    Services: "Services", "サービスの稼働状況";
    Reachability: "Reachability before and after", "通信経路の遮断前後の比較";
    Cuts: "Cuts in place", "遮断中の通信経路";
    Decisions: "Decisions", "意思決定の記録";
    OpenQuestions: "Open questions", "未回答の確認事項";
    Failures: "What failed", "失敗した手順";
    NotRun: "What did not run, and why", "実施しなかった手順とその理由";
    LeftOut: "Left out by the plan", "計画により対象外とした手順";
    NeedsAPerson: "What needs a person", "人による対応が必要な事項";
    Tasks: "Steps and tasks", "手順とホストごとの結果";
    Probes: "What probes saw", "疎通・稼働確認の結果";
    Guards: "Guards", "自動復帰タイマー（ガード）の記録";
    FiredTogether: "Started at one moment", "一斉実行";
    Improvements: "Improvement plan", "改善計画（事後検証）";
    Evidence: "Evidence", "証跡一覧";
    Backups: "Backups", "バックアップの確認";
    Hosts: "Hosts", "対象ホスト";
    Record: "Record", "記録の真正性";
    FirstReport: "Draft of the first incident report", "インシデント第一報（案）";

    // Heads of columns and lists.
    Run: "Run", "実行ID";
    Runbook: "Runbook", "手順書";
    Inventory: "Inventory", "構成情報";
    Kind: "Kind", "区分";
    By: "By", "実施者";
    StartedBy: "Started by", "開始者";
    Started: "Started", "開始";
    Ended: "Ended", "終了";
    ToldUntil: "Told until", "記録の時点";
    Took: "Took", "所要時間";
    Verdict: "Verdict", "結果";
    Params: "Parameters", "指定値";
    Name: "Name", "名称";
    From: "From", "起点";
    To: "To", "終点";
    Allowed: "Allowed", "目標時間";
    Result: "Result", "判定";
    Margin: "Margin", "目標との差";
    Phase: "Phase", "段階";
    Step: "Step", "手順";
    Host: "Host", "ホスト";
    HostsHead: "Hosts", "ホスト";
    What: "What", "内容";
    Why: "Why", "理由";
    When: "When", "日時";
    Since: "Since", "開始日時";
    Until: "Until", "終了日時";
    Longest: "Longest", "最長";
    Waited: "Waited for its turn", "順番待ち";
    Expected: "Expected", "予定";
    Actual: "Actual", "実績";
    ExpectedEnd: "Expected end", "終了予定";
    ActualEnd: "Actual end", "終了実績";
    Difference: "Difference", "差";
    About: "About", "対象";
    Decision: "Decision", "決定";
    Comment: "Comment", "備考";
    SignedWith: "Signed with", "署名鍵";
    Question: "Question", "確認事項";
    Expectation: "Expected", "期待";
    Seen: "Seen", "観測";
    Agrees: "Agrees", "一致";
    Observation: "Observation", "確認された事実";
    Recommendation: "Recommendation", "改善策";
    Owner: "Owner", "担当";
    Due: "Due", "期限";
    File: "File", "ファイル";
    Source: "Source", "取得元";
    Bytes: "Bytes", "サイズ（バイト）";
    Zone: "Zone", "ゾーン";
    Login: "Login", "接続方法";
    HostKey: "Host key and login", "ホスト鍵・認証";
    FirstReached: "First reached", "初回接続";
    Connections: "Connections", "接続回数";
    TimeSpent: "Time", "合計時間";
    Conduit: "Conduit", "通信経路";
    CutAt: "Cut at", "遮断日時";
    Before: "Before", "遮断前";
    After: "After", "遮断後";
    FromTo: "From / to", "起点／終点";
    WaysNote: "What was before the run, and what is after it as far as its cuts are certain.", "実行前と実行後の通信経路。実行後は確実に遮断された経路のみを反映する。";
    WaysOutside: "Attackers are taken to stand in {0}.", "攻撃者が存在し得るゾーン：{0}。";
    WaysCritical: "To be protected: {0}.", "保護対象のゾーン：{0}。";
    WaySame: "the same zone", "同一ゾーン";
    WayDirect: "straight", "直接到達可";
    WayPivot: "only from zone to zone", "他ゾーン経由でのみ到達可";
    WayNone: "not at all", "到達不可";
    Certain: "Certain", "確実性";
    Proved: "Proved", "確認";
    Taken: "Taken", "取得日時";
    Files: "Files", "ファイル数";
    Manifest: "Manifest", "一覧のハッシュ値";
    SignedBy: "Signed by", "署名者";
    PlanHash: "Plan hash (SHA-256)", "計画のハッシュ値（SHA-256）";
    JournalHead: "Journal head (SHA-256)", "記録末尾のハッシュ値（SHA-256）";
    Records: "Records", "記録件数";
    Program: "Program", "プログラム";
    Printed: "Printed", "出力";
    Look: "Look", "確認方法";
    Undo: "Undo", "取消し";
    Skew: "Starts apart by", "開始時刻の差";
    Unheard: "Not heard", "応答なし";
    AtMost: "{0} to {1} ms", "{0}〜{1}ミリ秒";
    Attempts: "Attempts", "試行回数";
    TasksHead: "Tasks", "作業数";
    Legend: "Legend", "凡例";

    // What became of things.
    FateStuck: "stuck", "取消不能";
    FateFailed: "failed", "失敗";
    FateUnseen: "end not seen", "結果不明";
    FateUnderWay: "under way", "実施中";
    FateTakenBack: "taken back", "取消済み";
    FateNotRun: "not run", "未実施";
    FateWaiting: "waiting", "待機中";
    FateTolerated: "done, failures tolerated", "完了（許容範囲内の失敗あり）";
    FateDone: "done", "完了";
    FateAlreadySo: "already so", "実施済み（変更不要）";
    FateLeftOut: "left out", "対象外";
    ObjectiveMet: "met", "達成";
    ObjectiveMissed: "MISSED", "未達成";
    ObjectiveNotReached: "NOT REACHED", "未到達";
    ObjectiveOpen: "open", "継続中";
    ObjectiveNotStarted: "not called for", "該当なし";
    PutBack: "Completed, and taken back: everything that was to be taken back is.", "全作業が完了し、訓練前の状態に戻した。";
    Yes: "yes", "はい";
    No: "NO", "いいえ";
    Controller: "(controller)", "（管理端末）";
    Nobody: "nobody", "なし";
    SoMuchLater: "{0} later than allowed", "{0}超過";
    SoMuchToSpare: "{0} to spare", "{0}の余裕";
    OfSoMany: "{0} of {1}", "{1}中{0}";
    ModeLive: "live", "本番";
    ModeDrill: "drill", "訓練（実機）";
    ModeTabletop: "tabletop", "机上訓練";
    MomentStart: "start", "開始";
    MomentPhase: "phase `{0}`", "段階「{0}」の完了";
    MomentStep: "step `{0}`", "手順「{0}」の完了";
    MomentProbe: "probes of `{0}` agree", "手順「{0}」の確認の成立";
    MomentServiceUp: "service `{0}` up", "サービス「{0}」の復旧";
    MomentServiceDown: "service `{0}` down", "サービス「{0}」の停止";
    MomentBackup: "backup of `{0}` taken", "手順「{0}」のバックアップの取得";

    // What can be going on.
    WhatWork: "work", "作業";
    WhatGuard: "guard and watch", "自動復帰の監視";
    WhatUndo: "taking back", "取消し";
    WhatPeople: "people", "人の判断待ち";
    WhatHosts: "hosts not reached", "ホスト接続待ち";
    WhatRetry: "pause before a retry", "再試行待ち";
    WhatTimer: "minimum wait", "所定の待ち時間";
    WhatUnseen: "end not seen", "結果不明";
    WhatTurn: "its turn", "順番待ち";

    // Kinds of steps.
    KindRun: "command", "コマンド";
    KindUpload: "upload", "ファイル配布";
    KindFetch: "evidence", "証跡保全";
    KindManual: "by hand", "人手作業";
    KindWait: "wait", "待機";
    KindProbe: "probe", "疎通・稼働確認";
    KindBackup: "backup", "バックアップ確認";

    // What probes are worth, and how services stand.
    Worth: "What it proves", "証明力";
    AtTheTable: "only at the table", "机上のみ";
    WorthAtTheTable: "at the table only: open before, closed after, by the map", "机上のみ（構成図上、遮断前は疎通、遮断後は不通）";
    WorthProof: "proves the cut: open before, closed after", "遮断を証明（遮断前は疎通、遮断後は不通）";
    WorthCutAlready: "was cut before the run", "実行前から遮断済み";
    WorthNothing: "PROVES NOTHING: was not seen open before", "証明にならない（遮断前の疎通が未確認）";
    WorthNotTold: "nobody could look", "確認できず";
    Service: "Service", "サービス";
    Place: "On", "設置場所";
    Stands: "At the last look", "最終確認時";
    Down: "Down in all", "停止時間の合計";
    LongestDown: "Longest down", "最長停止";
    Rto: "RTO", "目標復旧時間";
    StandsUp: "up", "稼働";
    StandsDown: "DOWN", "停止";
    StandsUnknown: "unknown", "不明";
    SumDown: "Down at the last look: {0}.", "最終確認時に停止していたサービスは{0}である。";
    SeenRto: "Service `{0}` was down for {1}, longer than its recovery time objective of {2}.", "サービス「{0}」の停止時間{1}が目標復旧時間{2}を超過した。";
    DoRto: "Restore it earlier in the runbook, give it a manual fallback, or set an objective that can be met.", "復旧の順序を早め、若しくは代替手段を用意し、又は目標復旧時間を見直す。";

    // Questions and answers.
    QuestionManual: "Has `{0}` been done?", "「{0}」は実施済みか";
    QuestionApprove: "May `{0}` start?", "「{0}」の開始を承認するか";
    QuestionBecame: "What became of `{0}`? Its end was not seen.", "「{0}」の結果が不明。どうなったか";
    QuestionPhase: "Phase `{0}` failed. What now?", "段階「{0}」が失敗。どうするか";
    AnswerDone: "it is done", "実施済み";
    AnswerApprove: "approved", "承認";
    AnswerRefuse: "REFUSED", "却下";
    AnswerSucceeded: "it succeeded", "成功していた";
    AnswerFailed: "it failed", "失敗していた";
    AnswerNothing: "nothing happened", "何も行われなかった";
    AnswerRetry: "try again", "再試行";
    AnswerContinue: "go on without it", "除外して続行";
    AnswerStop: "stop", "停止";
    AnswerRollback: "take the phase back", "段階の取消し";
    AnswerRollbackRun: "take the whole run back", "実行全体の取消し";
    AboutRun: "the run", "実行全体";
    DecidedStart: "started", "開始";
    DecidedResume: "taken up again", "再開";
    DecidedRollback: "take back {0}; cuts stay cut", "{0}の取消し（遮断は維持）";
    DecidedReopen: "take back {0} and RE-OPEN what is cut", "{0}の取消しと遮断の解除";
    DecidedAbandon: "takes on what is stuck", "取消不能の事項を人手で引き取り";
    DecidedRisk: "accepts the risk: {0}", "危険の受容：{0}";
    DecidedLapse: "consent lapsed", "承認の失効";
    DecidedInject: "told the players: {0}", "状況付与：{0}";
    ByScenario: "the scenario", "シナリオ";
    ByPolicy: "the phase's policy", "段階の既定の方針";

    // Waits, in words.
    WaitPeople: "people: {0}", "人の判断待ち：{0}";
    WaitHosts: "hosts that were not reached", "接続できないホスト";
    WaitRetry: "pauses before retries", "再試行までの待ち時間";
    WaitTimer: "a minimum wait", "所定の待ち時間";
    WaitAway: "nobody carried the run on", "実行の中断（管理プロセスなし）";

    // The paragraph.
    SumStarted: "{0} started `{1}` on {2} ({3}) at {4}.", "{4}、{0}が{2}に対して手順書「{1}」を開始した（{3}）。";
    SumNever: "The run never started.", "実行は開始されなかった。";
    SumRunning: "It goes on.", "現在も実施中である。";
    SumInterrupted: "It has not ended, and nobody carries it on.", "終了しておらず、管理プロセスも動いていない（中断）。";
    SumTook: "It took {0}.", "所要時間は{0}であった。";
    SumSoFar: "It has taken {0} so far.", "これまでの所要時間は{0}である。";
    SumTasks: "Of {0} tasks {1}.", "全{0}作業のうち、{1}。";
    SumCount: "{1} {0}", "{0}{1}件";
    SumResumed: "It was taken up again {0} times; nobody carried it on for {1}.", "{0}回再開され、延べ{1}中断していた。";
    SumCuts: "Cut now: {0}.", "現在遮断中の通信経路は{0}である。";
    SumObjectives: "Objectives: {0} of {1} met.", "目標は{1}件中{0}件を達成した。";
    SumPeople: "People were waited for during {0}.", "人の判断を待った時間は{0}であった。";
    SumStuck: "{0} tasks need a person.", "{0}件について人による対応が必要である。";
    SumQuestions: "{0} questions are open.", "{0}件の確認事項が未回答である。";

    // Improvements: what was seen, and what follows.
    SeenMissed: "Objective `{0}` was missed by {1}. Most of the time went to {2}, most of that in step `{3}`.", "目標「{0}」を{1}超過した。最も時間を要したのは{2}であり、主に手順「{3}」であった。";
    SeenNotReached: "Objective `{0}` was not reached.", "目標「{0}」に到達しなかった。";
    DoPeople: "Name deputies who may decide, and reach them before the run begins.", "判断権者の代理を定め、開始前に連絡を確保する。";
    DoHosts: "Test reachability and logins of these hosts regularly, and keep a second way in.", "当該ホストへの到達性と認証を定期的に確認し、代替経路を確保する。";
    DoRetry: "Find out why the first try fails, and mend the step.", "初回失敗の原因を調べ、手順を修正する。";
    DoFaster: "Shorten the step or prepare part of it beforehand, or set an objective that can be met.", "手順の短縮若しくは事前準備を行い、又は達成可能な目標に見直す。";
    DoOrder: "Order the steps so that more of them run at once, or start earlier.", "並行実施を増やすよう手順の順序を見直し、又は早期に着手する。";
    DoReach: "Decide whether the objective still holds, and finish or repeat the run.", "目標の妥当性を検討し、残りの手順を完了し、又は再度実施する。";
    SeenFailed: "Step `{0}` failed on {1}: {2}.", "手順「{0}」が{1}で失敗した：{2}。";
    DoFailed: "Find the cause, mend the step or the host, and rehearse the step.", "原因を特定し、手順又はホストを修正した上で、再度訓練する。";
    SeenUnreached: "{0} could not be reached.", "{0}に接続できなかった。";
    SeenUnseen: "The end of {0} jobs was not seen.", "{0}件の作業の終了を確認できなかった。";
    DoUnseen: "Look for the cause of lost links; give steps a `check` that tells what became of them.", "接続断の原因を調べ、結果を判別できる確認処理（check）を手順に加える。";
    SeenAway: "Nobody carried the run on for {0}.", "{0}の間、実行が中断していた。";
    DoAway: "Run the controller where power, network and session survive; name who resumes it.", "電源・回線・セッションが維持される環境で実行し、再開の担当を定める。";
    SeenRetried: "Step `{0}` needed {1} tries on {2}.", "手順「{0}」は{2}で{1}回の試行を要した。";
    SeenSlow: "Step `{0}` took {1}; {2} was expected.", "手順「{0}」に{1}を要した（予定は{2}）。";
    DoEstimate: "Set its `estimate` to what it takes, or find out why it was slow.", "所要時間の見積りを実績に合わせ、又は遅延の原因を調べる。";
    SeenPeople: "People were waited for during {0} at `{1}`.", "「{1}」で人の判断を{0}待った。";
    SeenNoUndo: "`{0}` could not be taken back: {1}.", "「{0}」を取り消せなかった：{1}。";
    DoUndo: "Put it right by hand, then rehearse the undo.", "人手で復旧した上で、取消し手順を訓練する。";
    SeenNotProved: "`{0}` cut {1}, and no probe that was open before proved it.", "「{0}」は{1}を遮断したが、遮断前に疎通していた経路での確認がない。";
    DoProve: "Give the step a `verify` that probes the path from both sides, and let it be looked at before the cut.", "遮断前後の双方で経路を確認する処理を手順に加える。";
    SeenDisagrees: "A probe of `{0}` saw something else than expected: {1}.", "「{0}」の確認結果が期待と異なった：{1}。";
    DoDisagrees: "Explain the difference before relying on this step.", "差異の原因を明らかにするまで、この手順に依拠しない。";
    SeenOpen: "{0} questions were open at the end.", "{0}件の確認事項が未回答のまま終了した。";
    SeenTorn: "The journal ends in a record that was never committed.", "記録の末尾に未確定の記録がある。";
    SeenGuard: "The guard of `{0}` on {1}: {2}", "「{0}」（{1}）の自動復帰タイマー：{2}";
    DoGuard: "Prove the way back by hand, and rehearse the guard.", "接続経路を人手で確認し、自動復帰を訓練する。";

    // Remarks.
    NoObjectives: "The runbook states none.", "手順書に目標の定めがない。";
    NothingHere: "None.", "該当なし。";
    NoImprovements: "No item follows from the facts of this run. The lines are for what people observed.", "実行記録から導かれる改善事項はない。以下は関係者の気付きを記入する欄である。";
    ImprovementsAre: "Observations and recommendations follow from the facts of the run. Owner and due date are filled in by hand; empty lines are for what people observed.", "事実と改善策は実行記録から導いたもの。担当と期限は手書きで記入する。空欄は関係者の気付きを記入する。";
    EmptyLine: "(to be filled in)", "（記入欄）";
    Shortened: "drawn shorter: {0}", "{0}を短縮して表示";
    ScaleNote: "Stretches in which nothing ran are drawn shorter and marked.", "何も実行されていない時間は短縮し、印を付けて表示する。";
    GraphNote: "Arrows lead from what is needed to what needs it. Phases follow one another; a heavy frame marks the critical path that was taken.", "矢印は前提となる手順から後続の手順を指す。段階は上から順に進む。太枠は実際の所要時間を決めた経路。";
    GraphTooLarge: "The plan has {0} steps; the drawing shows the first {1}.", "手順は{0}件あり、図には先頭の{1}件を示す。";
    RowsLeft: "{0} more, {1}", "他{0}件（{1}）";
    RowsOf: "{0} tasks", "{0}作業";
    Uncertain: "uncertain", "不確実";
    NoProof: "not proved", "未確認";
    NotReachedHost: "no connection on record", "接続の記録なし";
    BeforeTheCut: "(before the first cut)", "（最初の遮断の前）";
    NotLooked: "nobody looked", "確認なし";
    KeepHead: "Whoever wrote the head down elsewhere can tell whether this journal was altered. `blackstart verify {0}` checks it.", "末尾のハッシュ値を別に控えておけば、記録の改変の有無を確認できる。確認コマンド：blackstart verify {0}";
    Torn: "{0} bytes of a record that was never committed", "未確定の記録{0}バイト";
    OfItsTime: "Where the time went", "時間の内訳";
    HostsMore: "{0} and {1} more", "{0}ほか{1}台";
    HostsAll: "{0} ({1} hosts)", "{0}（計{1}台）";
    FirstDrill: "[EXERCISE] {0}", "【訓練】{0}";
    FirstDown: "Down: {0} ({1} in all)", "停止：{0}（計{1}）";
    Restoration: "Back to the start", "原状回復の確認";
    Restored: "Everything is as it was when the drill began, as far as the record tells.", "記録の限りでは、訓練開始時の状態に戻っている。";
    NotRestored: "NOT everything is as it was when the drill began.", "訓練開始時の状態に戻っていないものがある。";
    NotTakenBack: "not taken back", "取消未実施";
    TakenBackSteps: "Taken back: {0}.", "取消済みの手順：{0}。";
    ByHandOnly: "done by hand; only people know whether it was taken back", "人手作業のため、取消しの有無は記録から判らない";
    StillCut: "still cut", "遮断したまま";
    PathsAgain: "{0} of {1} paths that were open before the first cut are open again.", "最初の遮断より前に開いていた{1}経路のうち、{0}経路が再び開いていることを確認した。";
    WasOpen: "{0}; it was open before the first cut", "{0}(最初の遮断より前は開いていた)";
    StoodBefore: "{0} at the first look, {1} at the last", "最初の確認では{0}、最後の確認では{1}";
    Compared: "Compared with an earlier run", "前回の実施との比較";
    ComparedWith: "Compared with run {0} of {1}. Slower first.", "比較対象：実行{0}（{1}）。遅くなったものから順に示す。";
    ComparedOther: "The two runs carried out different plans.", "比較対象とは実行計画が異なる。";
    Then: "Then", "前回";
    ThisTime: "This time", "今回";
    Objective: "Objective", "目標";
    Bar: "Bar", "経過";
    ResumedAt: "resumed", "再開";
    Away: "nobody carried it on", "中断";
    Mark: "Mark", "印";

    // The first report.
    FirstNote: "Filled from the record; blanks are for what a tool cannot know.", "実行記録から自動作成した案である。空欄は記録からは判らない事項であり、確認の上記入すること。";
    FirstDivision: "Report", "報告の区分";
    FirstDivisionIs: "First report", "第一報（速報）";
    FirstAt: "Reported at", "報告日時";
    FirstFrom: "Reported by (organisation, unit, person, telephone)", "報告元（組織名・部署名・担当者名・連絡先）";
    FirstTo: "Reported to", "報告先（所管省庁、国家サイバー統括室（NCO）等）";
    FirstSubject: "Subject", "件名";
    FirstSubjectIs: "Isolation and recovery: {0}", "「{0}」における外部接続の遮断及び復旧対応について";
    FirstOccurred: "Occurred at", "発生日時";
    FirstDetected: "Detected at", "判明（検知）日時";
    FirstKind: "Kind of event", "事象の類型";
    FirstKindBoxes: "☐ confidentiality ☐ integrity ☐ availability ☐ sign of one of these", "☐機密性を脅かす事象　☐完全性を脅かす事象　☐可用性を脅かす事象　☐これらにつながる事象（予兆）";
    FirstCause: "Cause", "原因";
    FirstCauseBoxes: "☐ intended ☐ accidental ☐ environment ☐ other ☐ being looked into", "☐意図的な原因　☐偶発的な原因　☐環境的な原因　☐その他　☐調査中";
    FirstOutline: "Outline", "事象の概要";
    FirstSystems: "Systems", "対象システム（対応を実施したホスト）";
    FirstImpact: "Impact on services", "業務・サービスへの影響";
    FirstLeak: "Leak of personal or other information", "個人情報その他の情報の漏えい（おそれを含む）";
    FirstLeakBoxes: "☐ yes ☐ no ☐ being looked into", "☐有　☐無　☐調査中";
    FirstSpread: "May others be affected?", "他の組織への波及の可能性";
    FirstMeasures: "Measures taken", "実施した措置";
    FirstMeasureCut: "Cut: {0} ({1})", "外部接続の遮断：{0}（{1}）";
    FirstMeasurePhase: "Phase `{0}`: {1}", "段階「{0}」：{1}";
    FirstState: "Present state", "現在の状況";
    FirstEvidence: "Evidence kept", "証跡の保全";
    FirstEvidenceIs: "{0} files, hashes in the evidence list", "{0}件（ハッシュ値は証跡一覧に記載）";
    FirstOthers: "Others informed", "関係機関への連絡状況";
    FirstOthersBoxes: "☐ police ☐ data protection authority ☐ CERT ☐ contractor ☐ other", "☐警察　☐個人情報保護委員会　☐JPCERT/CC　☐保守・運用委託先　☐その他（　　　　）";
    FirstPublic: "Publication", "公表の状況・予定";
    FirstNext: "What comes next", "今後の対応予定";
    FirstNextIs: "Not finished: {0}", "未完了の手順：{0}";
    FirstNextReport: "Next report", "次回報告の予定日時";
    FirstSharing: "May be shared with (TLP)", "情報の取扱い（TLP）";
    FirstSharingBoxes: "☐ RED ☐ AMBER ☐ GREEN ☐ CLEAR", "☐RED　☐AMBER　☐GREEN　☐CLEAR";
}

#[cfg(test)]
mod tests;
