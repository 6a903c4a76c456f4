// What a job queue on Redis takes in: fastify, and BullMQ behind it. 202 once Redis has the job.
// node bullmq.mjs [PORT] [REDIS_PORT]
import Fastify from 'fastify';
import { Queue } from 'bullmq';

const [port = '7301', redisPort = '7101'] = process.argv.slice(2);
const jobs = new Queue('jobs', { connection: { host: '127.0.0.1', port: Number(redisPort), maxRetriesPerRequest: null } });
const server = Fastify();
server.post('/v1/jobs', async (request, reply) => {
  const job = await jobs.add('call', request.body, { attempts: 3 });
  reply.code(202);
  return { id: job.id };
});
await server.listen({ host: '127.0.0.1', port: Number(port) });
