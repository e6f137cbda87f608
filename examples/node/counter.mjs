// The program under test: it counts visits with whatever Redis it is given.
export async function visit(redis, page) {
  const [count] = await redis.pipeline().incr(`visits:${page}`).expire(`visits:${page}`, 3600).exec();
  return count;
}
