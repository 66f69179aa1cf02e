PRAGMA application_id = 1936747370;
PRAGMA user_version = 2;
CREATE TABLE journal (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id TEXT NOT NULL,
  commits INTEGER NOT NULL
) STRICT;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  submitted_at TEXT NOT NULL,
  input TEXT NOT NULL CHECK (json_valid(input)),
  definition TEXT NOT NULL CHECK (json_valid(definition)),
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_key ON runs (pipeline, key);
CREATE INDEX runs_by_pipeline ON runs (pipeline);
CREATE TABLE event_counts (
  run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  count INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  checksum INTEGER NOT NULL,
  kind TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.kind') VIRTUAL,
  memo TEXT GENERATED ALWAYS AS (body ->> '$.memo') VIRTUAL,
  PRIMARY KEY (run_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX events_one_end ON events (run_id) WHERE kind IN ('run_finished', 'run_cancelled');
CREATE INDEX events_ends_by_time ON events (at, run_id) WHERE kind IN ('run_finished', 'run_cancelled');
CREATE INDEX events_by_memo ON events (memo, at) WHERE memo IS NOT NULL;
CREATE TABLE past_runs (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  submitted_at TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  status TEXT NOT NULL,
  degraded TEXT NOT NULL CHECK (json_valid(degraded)),
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX past_runs_by_key ON past_runs (pipeline, key);
CREATE TABLE removals (
  run_id INTEGER PRIMARY KEY REFERENCES past_runs (id)
) STRICT;
CREATE TRIGGER runs_stay BEFORE UPDATE ON runs
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER past_runs_stay BEFORE UPDATE ON past_runs
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
INSERT INTO journal (only, id, commits) VALUES (1, '0123456789abcdef0123456789abcdef', 0);
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum) VALUES (2, 'day', '2026-01-28', '2026-04-28T12:00:00Z', '{"day":28}', '{"name":"day","stages":[{"name":"prices","function":"flaky","after":[],"input":[],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"weather","function":"refused","after":[],"input":[],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":["cached"],"priority":"medium"},{"name":"features","function":"collect","after":["prices","weather"],"input":["prices","weather"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"train","function":"broken","after":["features"],"input":["features"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"evaluate","function":"collect","after":["train"],"input":["train"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"publish","function":"collect","after":["features"],"input":["features"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"}]}', -8612057354304334204);
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum) VALUES (3, 'interrupted', '2026-01-29', '2026-04-28T12:00:00.212584883Z', '[1.5,"x",null]', '{"name":"interrupted","stages":[{"name":"fetch","function":"limited","after":[],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"critical"},{"name":"fit","function":"stop","after":[],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"low"}]}', 5540619492423440051);
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum) VALUES (4, 'day', '2026-01-28', '2026-04-28T12:00:00.212584883Z', '{"day":28}', '{"name":"day","stages":[{"name":"prices","function":"flaky","after":[],"input":[],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"weather","function":"refused","after":[],"input":[],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":["cached"],"priority":"medium"},{"name":"features","function":"collect","after":["prices","weather"],"input":["prices","weather"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"train","function":"broken","after":["features"],"input":["features"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"evaluate","function":"collect","after":["train"],"input":["train"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"publish","function":"collect","after":["features"],"input":["features"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"}]}', -3625441381823853216);
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum) VALUES (5, 'day', '2026-01-30', '2026-04-28T12:00:01.085685188Z', 'null', '{"name":"day","stages":[{"name":"prices","function":"flaky","after":[],"input":[],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"weather","function":"refused","after":[],"input":[],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":["cached"],"priority":"medium"},{"name":"features","function":"collect","after":["prices","weather"],"input":["prices","weather"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"train","function":"broken","after":["features"],"input":["features"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"evaluate","function":"collect","after":["train"],"input":["train"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"publish","function":"collect","after":["features"],"input":["features"],"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"}]}', 45968605417962272);
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum) VALUES (6, 'versatile', '2026-01-31', '2026-04-28T12:00:01.085685188Z', 'null', '{"name":"versatile","stages":[{"name":"list","function":"list","after":[],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","memo":{"key":"2026-01-31","lifetime_seconds":3600.0}},{"name":"items","function":"items","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"square","function":"square","after":["items"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","pools":[{"pool":"desk","slots":1}],"map":{"over":"items","concurrency_max":1}},{"name":"train","function":"square","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","timeout_seconds":300.0,"condition":{"stage":"list","pointer":"/is_due","equals":true}},{"name":"value","function":"broken","after":[],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[{"value":{"spare":true}}],"priority":"medium"},{"name":"report","function":"items","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","after_end":["train","value"]},{"name":"given up","function":"items","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"}]}', -5922050513515823887);
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum) VALUES (7, 'versatile', '2026-01-31 again', '2026-04-28T12:00:01.085685188Z', 'null', '{"name":"versatile","stages":[{"name":"list","function":"list","after":[],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","memo":{"key":"2026-01-31","lifetime_seconds":3600.0}},{"name":"items","function":"items","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"},{"name":"square","function":"square","after":["items"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","pools":[{"pool":"desk","slots":1}],"map":{"over":"items","concurrency_max":1}},{"name":"train","function":"square","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","timeout_seconds":300.0,"condition":{"stage":"list","pointer":"/is_due","equals":true}},{"name":"value","function":"broken","after":[],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[{"value":{"spare":true}}],"priority":"medium"},{"name":"report","function":"items","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium","after_end":["train","value"]},{"name":"given up","function":"items","after":["list"],"input":null,"retry":{"attempts_max":4,"delay_first_seconds":2.0,"backoff_factor":2.0,"delay_max_seconds":120.0},"fallbacks":[],"priority":"medium"}]}', -4107487902689306224);
INSERT INTO event_counts (run_id, count) VALUES (2, 19);
INSERT INTO event_counts (run_id, count) VALUES (3, 6);
INSERT INTO event_counts (run_id, count) VALUES (4, 3);
INSERT INTO event_counts (run_id, count) VALUES (5, 0);
INSERT INTO event_counts (run_id, count) VALUES (6, 22);
INSERT INTO event_counts (run_id, count) VALUES (7, 21);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 0, '2026-04-28T12:00:00.000000000Z', '{"kind":"attempt_started","stage":"prices","attempt":1,"function":"flaky","token":1}', 7809134380921275572);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 1, '2026-04-28T12:00:00.000000000Z', '{"kind":"attempt_failed","stage":"prices","token":1,"failure":{"class":"connection","message":"connection reset by peer"}}', 7576672560250712859);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 2, '2026-04-28T12:00:00.000000000Z', '{"kind":"retry_scheduled","stage":"prices","not_before":"2026-04-28T12:00:00.212584883Z"}', -22584056514999752);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 3, '2026-04-28T12:00:00.000000000Z', '{"kind":"attempt_started","stage":"weather","attempt":1,"function":"refused","token":2}', 2549859616595889048);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 4, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_failed","stage":"weather","token":2,"failure":{"class":"authentication","message":"the key is not valid"}}', -7370882141603277599);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 5, '2026-04-28T12:00:00.212584883Z', '{"kind":"rung_taken","stage":"weather","rung":1}', 7811976068178508952);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 6, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"prices","attempt":2,"function":"flaky","token":3}', -3365838804097955343);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 7, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_completed","stage":"prices","token":3,"output":["prices"],"degraded":[]}', -5015690435890831218);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 8, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"weather","attempt":2,"function":"cached","token":4}', -4256550357871350407);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 9, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_completed","stage":"weather","token":4,"output":["weather"],"degraded":["weather: recovered by cached after authentication: the key is not valid"]}', 525292035271410261);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 10, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"features","attempt":1,"function":"collect","token":5}', -1152416833422324948);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 11, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_completed","stage":"features","token":5,"output":["features","[\"prices\"]","[\"weather\"]"],"degraded":["weather: recovered by cached after authentication: the key is not valid"]}', -6419132284063061589);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 12, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"train","attempt":1,"function":"broken","token":6}', -6188815565099423611);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 13, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_failed","stage":"train","token":6,"failure":{"class":"bad_data","message":"line 7: expected a price, found \"-\""}}', -1881908740066588512);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 14, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_failed","stage":"train"}', -881466220044623181);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 15, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_skipped","stage":"evaluate","reason":"stage train failed: bad data: line 7: expected a price, found \"-\""}', -1527132553579396493);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 16, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"publish","attempt":1,"function":"collect","token":7}', 2183334778447309722);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 17, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_completed","stage":"publish","token":7,"output":["publish","[\"features\",\"[\\\"prices\\\"]\",\"[\\\"weather\\\"]\"]"],"degraded":["weather: recovered by cached after authentication: the key is not valid"]}', 4739388487326825271);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (2, 18, '2026-04-28T12:00:00.212584883Z', '{"kind":"run_finished","end":"failed","degraded":["weather: recovered by cached after authentication: the key is not valid"]}', 2782349882471731265);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (3, 0, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"fetch","attempt":1,"function":"limited","token":1}', 7808440610667805980);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (3, 1, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_failed","stage":"fetch","token":1,"failure":{"class":"rate_limit","message":"too many requests","wait_seconds":5400.0}}', 5029044202125090397);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (3, 2, '2026-04-28T12:00:00.212584883Z', '{"kind":"stage_failed","stage":"fetch"}', 3562944714712423848);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (3, 3, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"fit","attempt":1,"function":"stop","token":2}', -2556801542235430197);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (3, 4, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_cancelled","stage":"fit","token":2}', -3845602925040549615);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (3, 5, '2026-04-28T12:00:00.212584883Z', '{"kind":"run_interrupted"}', 1200994773432371854);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (4, 0, '2026-04-28T12:00:00.212584883Z', '{"kind":"attempt_started","stage":"prices","attempt":1,"function":"flaky","token":1}', 1335324984631494947);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (4, 1, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_lost","stage":"prices","token":1}', -4653807190337146072);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (4, 2, '2026-04-28T12:00:01.085685188Z', '{"kind":"run_cancelled","reason":"the operating day has passed"}', -6935555936727560877);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 0, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_cancelled","stage":"given up","reason":"not today"}', -7165002252928951860);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 1, '2026-04-28T12:00:01.085685188Z', '{"kind":"alert_raised","alert":"missed","deadline":"2026-04-28T12:00:01.085685188Z"}', -8425535953173691828);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 2, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"list","attempt":1,"function":"list","token":1}', 7452292188095954291);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 3, '2026-04-28T12:00:01.085685188Z', '{"kind":"alert_told","alert":"missed","deadline":"2026-04-28T12:00:01.085685188Z"}', 5804684628875764609);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 4, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"list","token":1,"output":{"is_due":false,"items":[3,1]},"degraded":[],"memo":"list 2026-01-31"}', 546611698037036949);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 5, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_skipped","stage":"train","reason":"stage train is left out: /is_due in the output of list is false, not true"}', -3722866742588334049);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 6, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"items","attempt":1,"function":"items","token":2}', 9158797632993972809);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 7, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"items","token":2,"output":[3,1],"degraded":[]}', -154624670106470868);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 8, '2026-04-28T12:00:01.085685188Z', '{"kind":"fan_out_opened","stage":"square","count":2}', 2272422449840981508);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 9, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"value","attempt":1,"function":"broken","token":3}', -2829708653533839362);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 10, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_failed","stage":"value","token":3,"failure":{"class":"bad_data","message":"line 7"}}', -4515789359780727258);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 11, '2026-04-28T12:00:01.085685188Z', '{"kind":"rung_taken","stage":"value","rung":1}', 6938807959066879133);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 12, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"value","attempt":2,"function":"a value","token":4}', -4254361247176230647);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 13, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"value","token":4,"output":{"spare":true},"degraded":["value: recovered by a value after bad data: line 7"]}', -5593879935772354271);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 14, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"report","attempt":1,"function":"items","token":5}', -6099422229311437698);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 15, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"report","token":5,"output":[3,1],"degraded":["value: recovered by a value after bad data: line 7"]}', -3978608267470806357);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 16, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"square[0]","attempt":1,"function":"square","token":6}', 1887691436169806693);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 17, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"square[0]","token":6,"output":9,"degraded":[]}', 1531549026258412692);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 18, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"square[1]","attempt":1,"function":"square","token":7}', -7346907013455672857);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 19, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"square[1]","token":7,"output":1,"degraded":[]}', -6422774314959423998);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 20, '2026-04-28T12:00:01.085685188Z', '{"kind":"fan_out_joined","stage":"square"}', 7898169071237612296);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (6, 21, '2026-04-28T12:00:01.085685188Z', '{"kind":"run_finished","end":"completed","degraded":["value: recovered by a value after bad data: line 7","stage given up was cancelled: not today"]}', 287974578171321635);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 0, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_cancelled","stage":"given up","reason":"not today"}', 6401963578838049332);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 1, '2026-04-28T12:00:01.085685188Z', '{"kind":"alert_raised","alert":"missed","deadline":"2026-04-28T12:00:01.085685188Z"}', -2823309824253294258);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 2, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_recalled","stage":"list","attempt":1,"token":1,"from":"r000006","completed_at":"2026-04-28T12:00:01.085685188Z","output":{"is_due":false,"items":[3,1]}}', -2669516908197194370);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 3, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_skipped","stage":"train","reason":"stage train is left out: /is_due in the output of list is false, not true"}', 639614502802023682);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 4, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"items","attempt":1,"function":"items","token":2}', -6287499113356745362);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 5, '2026-04-28T12:00:01.085685188Z', '{"kind":"alert_told","alert":"missed","deadline":"2026-04-28T12:00:01.085685188Z"}', 4725702377249411046);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 6, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"items","token":2,"output":[3,1],"degraded":[]}', -8242559553341820141);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 7, '2026-04-28T12:00:01.085685188Z', '{"kind":"fan_out_opened","stage":"square","count":2}', -8815092225011222597);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 8, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"value","attempt":1,"function":"broken","token":3}', -298534586130471566);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 9, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_failed","stage":"value","token":3,"failure":{"class":"bad_data","message":"line 7"}}', 3872088077477494934);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 10, '2026-04-28T12:00:01.085685188Z', '{"kind":"rung_taken","stage":"value","rung":1}', 6398804448541441972);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 11, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"value","attempt":2,"function":"a value","token":4}', 6815099308656970998);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 12, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"value","token":4,"output":{"spare":true},"degraded":["value: recovered by a value after bad data: line 7"]}', -856957486062314053);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 13, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"report","attempt":1,"function":"items","token":5}', -4904291387638311226);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 14, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"report","token":5,"output":[3,1],"degraded":["value: recovered by a value after bad data: line 7"]}', -5538531762283868660);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 15, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"square[0]","attempt":1,"function":"square","token":6}', -8469782271538544784);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 16, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"square[0]","token":6,"output":9,"degraded":[]}', 3529302465333737013);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 17, '2026-04-28T12:00:01.085685188Z', '{"kind":"attempt_started","stage":"square[1]","attempt":1,"function":"square","token":7}', -3407555091394835556);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 18, '2026-04-28T12:00:01.085685188Z', '{"kind":"stage_completed","stage":"square[1]","token":7,"output":1,"degraded":[]}', -7634115942947740442);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 19, '2026-04-28T12:00:01.085685188Z', '{"kind":"fan_out_joined","stage":"square"}', -5679194096029346632);
INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (7, 20, '2026-04-28T12:00:01.085685188Z', '{"kind":"run_finished","end":"completed","degraded":["value: recovered by a value after bad data: line 7","stage given up was cancelled: not today"]}', -8264262056792320226);
INSERT INTO past_runs (id, pipeline, key, submitted_at, finished_at, status, degraded, checksum) VALUES (1, 'day', '2026-01-27', '2026-01-27T12:00:00Z', '2026-01-27T12:00:00.000000000Z', 'cancelled', '[]', -321304527827768109);
