-- Counts of [[.RESOURCE]] by key and window; see Store.add in quota.ts.
create table if not exists quota_[[.RESOURCE]] (
  key          text    not null,
  window_start bigint  not null,
  used         integer not null check (used >= 0),
  primary key (key, window_start)
);

-- add_[[.RESOURCE]] adds atomically; it returns the count, or null when the limit
-- does not allow the amount.
create or replace function add_[[.RESOURCE]](p_key text, p_window bigint, p_amount integer, p_limit integer)
returns integer
language sql
as $$
  insert into quota_[[.RESOURCE]] (key, window_start, used)
  select p_key, p_window, p_amount where p_amount <= p_limit
  on conflict (key, window_start) do update
    set used = quota_[[.RESOURCE]].used + excluded.used
    where quota_[[.RESOURCE]].used + excluded.used <= p_limit
  returning used;
$$;
