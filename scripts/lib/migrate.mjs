// D1 migrations, with wrangler's own bookkeeping, so that `wrangler d1 migrations` and this agree on what has been applied.

const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/**
 * Applies what has not been applied, in order. One migration is one transaction.
 *
 * @param {import("miniflare").Miniflare} miniflare
 * @param {import("./config.mjs").EdgeConfig["migrations"]} migrations
 */
export async function migrate(miniflare, migrations) {
  for (const binding of new Set(migrations.map((migration) => migration.database))) {
    const db = await miniflare.getD1Database(binding);
    const [, { results }] = await db.batch([db.prepare(BOOKKEEPING), db.prepare("SELECT name FROM d1_migrations")]);
    const applied = new Set(results.map((row) => row.name));
    for (const { name, statements } of migrations.filter((each) => each.database === binding && !applied.has(each.name))) {
      const record = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
      await db.batch([...statements.map((sql) => db.prepare(sql)), record]).catch((error) => {
        throw new Error(`migrations/${name}: ${error.message}`);
      });
    }
  }
}
