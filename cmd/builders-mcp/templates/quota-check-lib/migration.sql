-- Counts of [[.RESOURCE]] by key and window; see Store in types.ts.
create table if not exists quota_[[.RESOURCE]] (
  key          text   not null,
  window_start bigint not null,
  used         bigint not null check (used >= 0),
  primary key (key, window_start)
);

-- add_[[.RESOURCE]] adds p_amount unless that would exceed p_limit. The row is locked by
-- "on conflict", so calls at the same time follow one another.
create or replace function add_[[.RESOURCE]](p_key text, p_window bigint, p_amount bigint, p_limit bigint)
returns table (used bigint, added boolean)
language plpgsql
as $$
#variable_conflict use_column
begin
  return query
    insert into quota_[[.RESOURCE]] as q (key, window_start, used)
    select p_key, p_window, p_amount where p_amount <= p_limit
    on conflict (key, window_start) do update
      set used = q.used + excluded.used
      where q.used + excluded.used <= p_limit
    returning q.used, true;
  if not found then
    return query
      select coalesce((select q.used from quota_[[.RESOURCE]] as q where q.key = p_key and q.window_start = p_window), 0), false;
  end if;
end;
$$;

-- Windows that are over can go at any time:
--   delete from quota_[[.RESOURCE]] where window_start < floor(extract(epoch from now()) / [[.WINDOW_SECONDS]]);
