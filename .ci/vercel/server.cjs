// Builds a project of the framework preset "go" with @vercel/go, as a deployment
// would whose Root Directory is FOLDER:
//
//   node server.cjs PROJECT FOLDER OUT
//
// OUT has what the platform starts: executable, Vercel's proxy, and user-server.
// The builder writes into the project while it works: PROJECT must be a copy.
const { glob, streamToBuffer } = require('@vercel/build-utils');
const go = require('@vercel/go');
const fs = require('fs');
const path = require('path');

async function main([project, folder, out]) {
  const workPath = path.join(project, folder);
  const vercelJson = JSON.parse(fs.readFileSync(path.join(workPath, 'vercel.json'), 'utf8'));
  if (vercelJson.framework !== 'go') throw new Error(`${folder}/vercel.json does not ask for the preset "go"`);
  const started = Date.now();
  const { result } = await go.build({
    files: await glob('**', { cwd: workPath }),
    entrypoint: 'main.go',
    workPath,
    repoRootPath: project,
    config: { framework: vercelJson.framework, functions: vercelJson.functions, zeroConfig: true },
    meta: { skipDownload: true },
  });
  const functions = Object.values(result.output); // one server, to which every route leads
  if (functions.length !== 1) throw new Error(`${functions.length} functions were built, want 1`);
  const [server] = functions;
  fs.mkdirSync(out, { recursive: true });
  for (const [name, file] of Object.entries(server.files)) {
    fs.writeFileSync(path.join(out, name), await streamToBuffer(await file.toStream()), { mode: 0o755 });
  }
  const size = fs.statSync(path.join(out, 'user-server')).size / 1048576;
  const streams = server.supportsResponseStreaming ? 'streams' : 'does not stream';
  console.log(`${folder}: ${server.runtime} ${server.architecture}, ${size.toFixed(1)} MiB, ${streams}, at most ${server.maxDuration} s, built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
