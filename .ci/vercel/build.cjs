// Builds each function of a project with @vercel/go, as a deployment would:
//
//   node build.cjs PROJECT OUT api/index.go api/cron/warm.go
//
// OUT/<entry point with dashes>/bootstrap is the program that the platform starts.
// The builder rewrites the project while it works: PROJECT must be a copy.
const { glob, streamToBuffer } = require('@vercel/build-utils');
const go = require('@vercel/go');
const fs = require('fs');
const path = require('path');

async function main([project, out, ...entrypoints]) {
  const vercelJson = JSON.parse(fs.readFileSync(path.join(project, 'vercel.json'), 'utf8'));
  for (const entrypoint of entrypoints) {
    if (!(entrypoint in vercelJson.functions)) throw new Error(`vercel.json has no functions entry for ${entrypoint}`);
    const started = Date.now();
    const { result } = await go.build({
      files: await glob('**', { cwd: project, ignore: ['.git/**', 'node_modules/**'] }),
      entrypoint,
      workPath: project,
      repoRootPath: project,
      config: { framework: vercelJson.framework, zeroConfig: true },
      meta: { skipDownload: true },
    });
    const lambda = result.output;
    const folder = path.join(out, entrypoint.replace(/\.go$/, '').replaceAll('/', '-'));
    fs.mkdirSync(folder, { recursive: true });
    for (const [name, file] of Object.entries(lambda.files)) {
      fs.writeFileSync(path.join(folder, name), await streamToBuffer(await file.toStream()), { mode: 0o755 });
    }
    const size = fs.statSync(path.join(folder, lambda.handler)).size / 1048576;
    console.log(`${entrypoint}: ${lambda.runtime}, ${lambda.handler} ${size.toFixed(1)} MiB, built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
