// Builds and starts one function as `vercel dev` does, and prints its port:
//
//   node dev.cjs PROJECT api/index.go
//
// It ends, and the function with it, when its standard input does.
const go = require('@vercel/go');

async function main([project, entrypoint]) {
  process.chdir(project); // the builder reads the entry point relative to it
  const { port, pid } = await go.startDevServer({
    entrypoint,
    workPath: project,
    repoRootPath: project,
    config: { framework: null, zeroConfig: true },
    meta: { isDev: true, env: process.env },
    files: {},
    onStdout: (data) => process.stderr.write(data),
    onStderr: (data) => process.stderr.write(data),
  });
  process.stdin.on('end', () => {
    process.kill(pid);
    process.exit(0);
  });
  process.stdin.resume();
  console.log(`port ${port}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
