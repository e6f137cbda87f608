'use strict';
// All text of the catalogue goes in by textContent: nothing that it holds can
// become an element.
const byId = (id) => document.getElementById(id);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const ms = (n) => n.toFixed(2) + ' ms';
const number = (n) => n.toLocaleString('en');
const view = { page: 1 };
let asked = 0;

async function json(path, options) {
  const answer = await fetch(path, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message || answer.statusText);
  return body;
}

function complain(error) {
  byId('problem').hidden = !error;
  byId('problem').textContent = error ? error.message : '';
}

// guarded runs what a click asked for, and shows what went wrong.
const guarded = (f) => async (event) => {
  if (event && event.preventDefault && event.type === 'submit') event.preventDefault();
  try { await f(event); complain(); } catch (error) { complain(error); }
};

const bill = (r) => r.commands + (r.commands === 1 ? ' command, ' : ' commands, ') + r.trips + (r.trips === 1 ? ' trip' : ' trips');

function showRequest(r) {
  const state = r.cached.status === 200 ? r.cached.state || 'BYPASS' : 'ERROR';
  byId('last').replaceChildren(make('span', 'badge ' + state, state), ' ', make('code', '', 'GET ' + r.path));
  const longest = Math.max(r.cached.ms, r.plain.ms, 0.01);
  byId('barcached').style.width = 100 * r.cached.ms / longest + '%';
  byId('barplain').style.width = 100 * r.plain.ms / longest + '%';
  byId('mscached').textContent = ms(r.cached.ms);
  byId('msplain').textContent = ms(r.plain.ms);
  byId('bill').textContent = bill(r);
  const row = make('tr');
  const answer = make('td');
  answer.append(make('span', 'badge ' + state, state));
  row.append(answer, make('td', '', r.path), make('td', '', r.cached.ms.toFixed(2)), make('td', '', r.plain.ms.toFixed(2)), make('td', '', r.commands + '/' + r.trips));
  byId('log').prepend(row);
  while (byId('log').rows.length > 50) byId('log').deleteRow(-1);
}

async function ask(path) {
  const r = await json('/page/ask?path=' + encodeURIComponent(path));
  showRequest(r);
  if (r.cached.status !== 200) throw new Error(r.body && r.body.message || 'answered ' + r.cached.status);
  return r.body;
}

function listPath() {
  const query = new URLSearchParams();
  for (const id of ['search', 'category', 'platform', 'sort']) {
    const value = byId(id).value.trim();
    if (value && !(id === 'sort' && value === 'downloads')) query.set(id, value);
  }
  if (view.page > 1) query.set('page', view.page);
  query.set('limit', 10);
  return '/api/' + byId('kind').value + '?' + query;
}

async function list() {
  const turn = ++asked;
  const body = await ask(listPath());
  if (turn !== asked) return; // a later question has been asked meanwhile
  const items = body.extensions || body.mcpServers || [];
  byId('list').replaceChildren(...items.map(item));
  if (!items.length) byId('list').append(make('li', 'note', 'Nothing matches.'));
  const p = body.pagination;
  byId('where').textContent = p.total ? 'page ' + p.page + ' of ' + p.totalPages + ', ' + number(p.total) + ' items' : '';
  byId('prev').disabled = !p.hasPrev;
  byId('next').disabled = !p.hasNext;
}

function item(i) {
  const li = make('li', 'item');
  const rating = i.votes ? i.rating.toFixed(2) + ' ★ (' + number(i.votes) + ')' : 'not rated';
  li.append(make('h3', '', i.name), make('p', '', i.description),
    make('p', 'facts', [i.version, i.category, i.platform, rating, number(i.downloads) + ' downloads'].join(' · ')));
  const stars = make('select');
  stars.setAttribute('aria-label', 'Rate ' + i.name);
  stars.append(new Option('Rate', ''));
  for (let n = 5; n > 0; n--) stars.append(new Option(n + ' ★', n));
  stars.addEventListener('change', guarded(() => stars.value && write(i, '/rating', { rating: Number(stars.value) })));
  const download = make('button', '', 'Download');
  download.type = 'button';
  download.setAttribute('aria-label', 'Download ' + i.name);
  download.addEventListener('click', guarded(() => write(i, '/download', {})));
  const actions = make('div', 'do');
  actions.append(stars, download);
  li.append(actions);
  return li;
}

async function post(path, body) {
  return json(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
}

// write changes an item and asks for it: its page is invalid at once, while a
// download leaves the lists alone.
async function write(i, what, body) {
  const path = '/api/' + byId('kind').value + '/' + encodeURIComponent(i.id);
  await post(path + what, body);
  await ask(path);
  if (what === '/rating') await list();
}

async function publish() {
  await post('/api/' + byId('kind').value, { name: byId('name').value.trim(), version: byId('version').value.trim(), category: byId('newcategory').value, description: byId('description').value.trim() });
  byId('search').value = byId('name').value.trim();
  byId('category').value = byId('platform').value = '';
  view.page = 1;
  byId('publish').reset();
  await list();
}

const notes = {
  up: 'Redis answers at once.', slow: 'Each answer of Redis takes 250 ms more.', down: 'Redis resets every connection. The page goes on from the database.',
  remote: 'This Redis is from the environment: it is not taken away.', none: 'Started with --no-cache.',
};

function showState(s) {
  byId('redisnote').textContent = notes[s.redis] || '';
  byId('power').disabled = !s.controls || s.redis === 'remote' || s.redis === 'none';
  for (const radio of document.querySelectorAll('input[name=redis]')) radio.checked = radio.value === s.redis;
  byId('breaker').textContent = s.breaker;
  byId('breaker').className = 'badge ' + s.breaker;
  byId('cause').textContent = s.breaker === 'closed' ? '' : (s.cause ? s.cause + '; ' : '') + 'Redis is asked again after ' + s.openSeconds + ' s';
  byId('hitrate').textContent = (100 * s.hitRate).toFixed(0) + ' %';
  byId('requests').textContent = number(s.requests);
  byId('commands').textContent = number(s.commands);
  byId('pending').textContent = number(s.pending);
  for (const button of document.querySelectorAll('#invalidate button, #load')) button.disabled = !s.controls;
  byId('dashboard').hidden = !s.controls;
}

// watch asks for the state each second while someone looks.
async function watch() {
  if (!document.hidden) {
    try { showState(await json('/page/state')); } catch { byId('breaker').textContent = 'no answer'; }
  }
  setTimeout(watch, 1000);
}

async function load() {
  byId('load').disabled = true;
  byId('loaded').textContent = 'running …';
  try {
    const r = await json('/page/load', { method: 'POST' });
    const states = Object.entries(r.states).map(([name, n]) => n + ' ' + (name || 'without a state')).join(', ');
    byId('loaded').textContent = states + '; ' + r.failed + ' failed. p50 ' + ms(r.p50) + ', p99 ' + ms(r.p99) + '; without a cache ' + ms(r.plainP50) + ', ' + ms(r.plainP99) + '. Bill: ' + bill(r) + '.';
  } finally { byId('load').disabled = false; }
}

async function invalidateTag() {
  const r = await json('/page/invalidate?tag=' + encodeURIComponent(byId('tag').value), { method: 'POST' });
  byId('invalidated').textContent = r.pending ? r.tag + ': Redis is away; it is sent again until Redis confirms.' : r.tag + ': what was cached before is no longer served.';
}

function begin() {
  let typing;
  byId('search').addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(() => { view.page = 1; guarded(list)(); }, 250); });
  for (const id of ['kind', 'category', 'platform', 'sort']) byId(id).addEventListener('change', () => { view.page = 1; guarded(list)(); });
  byId('filter').addEventListener('submit', guarded(list));
  byId('prev').addEventListener('click', () => { view.page--; guarded(list)(); });
  byId('next').addEventListener('click', () => { view.page++; guarded(list)(); });
  byId('publish').addEventListener('submit', guarded(publish));
  byId('invalidate').addEventListener('submit', guarded(invalidateTag));
  byId('load').addEventListener('click', guarded(load));
  byId('power').addEventListener('change', guarded(async (event) => showState(await json('/page/redis?to=' + event.target.value, { method: 'POST' }))));
  guarded(async () => {
    const body = await ask('/api/categories');
    for (const c of body.categories) {
      byId('category').append(new Option(c.name + ' (' + c.total + ')', c.name));
      byId('newcategory').append(new Option(c.name, c.name));
    }
    await list();
  })();
  watch();
}

begin();
