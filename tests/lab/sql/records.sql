-- The records database: made the same each time, so that a checksum tells whether a row was touched.
create table patients (
  id integer primary key,
  name text not null,
  born date not null,
  allergies text not null
);
create table visits (
  id integer primary key,
  patient integer not null references patients (id),
  at timestamp not null,
  note text not null
);
insert into patients
  select n, 'Patient ' || n, date '1930-01-01' + (n * 37) % 30000,
    (array['none', 'penicillin', 'latex', 'iodine', 'nuts'])[1 + n % 5]
  from generate_series(1, 5000) n;
insert into visits
  select n, 1 + (n * 7919) % 5000, timestamp '2024-01-01' + n * interval '1 hour', 'visit ' || md5(n::text)
  from generate_series(1, 20000) n;
