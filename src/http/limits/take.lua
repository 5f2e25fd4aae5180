-- Takes one request out of a bucket, if there is one: the same arithmetic as in buckets.rs, in microseconds and by this
-- server's clock, which all replicas share.
--
-- KEYS[1] is the bucket, whose value is when it will be full again. ARGV[1] is how long it takes to get one request back,
-- ARGV[2] how long it takes to fill an empty bucket. Returns whether there was one, and how long the bucket now takes to
-- be full. A bucket expires when it is full.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now) or now
full_at = math.max(now, math.min(full_at, now + capacity))
local after = full_at + cost
if after - now > capacity then
  return {0, math.floor(full_at - now)}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor(after - now)}
