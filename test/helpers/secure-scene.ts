/** What the tests of secure connections share: one broker, one identity provider, and ways to configure clients. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopic } from './kafka.ts';
import { type Listener, PASSWORD, type SecureBroker, startSecureBroker, USER } from './secure-broker.ts';
import { ServiceProcess } from './service.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';

export const CLIENT_ID = 'log reader';
export const CLIENT_SECRET = 'client-Secr3t#93';
export const TOKEN_LIFETIME_SECONDS = 8;

/** Variables without their common prefix. */
export type Variables = Readonly<Record<string, string>>;

/** One way to configure a connection. */
export interface Way {
  readonly name: string;
  readonly listener: Listener | 'PLAINTEXT';
  readonly variables: Variables;
}

export class SecureScene {
  readonly broker: SecureBroker;
  readonly tokens: TokenServer;
  readonly topic: string;
  readonly #directory: string;

  private constructor(parts: Pick<SecureScene, 'broker' | 'tokens' | 'topic'>, directory: string) {
    this.broker = parts.broker;
    this.tokens = parts.tokens;
    this.topic = parts.topic;
    this.#directory = directory;
  }

  static async set(): Promise<SecureScene> {
    const directory = mkdtempSync(join(tmpdir(), 'secure-kafka-'));
    const broker = await startSecureBroker(directory);
    const tokens = await startTokenServer({
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      lifetimeSeconds: TOKEN_LIFETIME_SECONDS,
    });
    const topic = await createTopic(broker.kafka.bootstrap, 'secure');
    return new SecureScene({ broker, tokens, topic }, directory);
  }

  async clear(): Promise<void> {
    await this.tokens.close();
    await this.broker.kafka.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get bootstrap(): string {
    return this.broker.kafka.bootstrap;
  }

  tls(variables: Variables = {}): Variables {
    return { TLS_ENABLED: 'true', TLS_CA_FILE: this.broker.authority.certificate, ...variables };
  }

  login(mechanism: string, password = PASSWORD): Variables {
    return { SASL_MECHANISM: mechanism, SASL_USERNAME: USER, SASL_PASSWORD: password };
  }

  /** A program that prints a token. */
  tokenCommand(token: string): Variables {
    const file = join(mkdtempSync(join(this.#directory, 'token-')), 'token');
    writeFileSync(file, `${token}\n`);
    return { SASL_MECHANISM: 'OAUTHBEARER', SASL_TOKEN_COMMAND: JSON.stringify(['cat', file]) };
  }

  tokenUrl(url = this.tokens.url, secret = CLIENT_SECRET): Variables {
    return {
      SASL_MECHANISM: 'OAUTHBEARER',
      SASL_TOKEN_URL: url,
      SASL_CLIENT_ID: CLIENT_ID,
      SASL_CLIENT_SECRET: secret,
      SASL_SCOPE: 'kafka.read kafka.groups',
    };
  }

  environmentOf({ name, listener, variables }: Way): Record<string, string> {
    const { bootstrap, extraBootstraps } = this.broker.kafka;
    const named = Object.entries(variables).map(([key, text]) => [`LOG_CONSUMER_KAFKA_${key}`, text]);
    return {
      KAFKA_BROKERS: listener === 'PLAINTEXT' ? bootstrap : (extraBootstraps[listener] ?? ''),
      LOG_TOPIC: this.topic,
      LOG_GROUP_ID: `group of ${name}`,
      LOG_OUTPUT_DIR: join(this.#directory, `logs of ${name}`),
      // Whatever can be printed is printed, so that a secret in it would be found.
      LOG_CONSUMER_TELEMETRY_LOG_LEVEL: 'debug',
      KAFKAJS_LOG_LEVEL: 'DEBUG',
      LOG_CONSUMER_TRANSFORM_WORKERS: '1',
      ...Object.fromEntries(named),
    };
  }

  startService(way: Way): ServiceProcess {
    const env = this.environmentOf(way);
    return new ServiceProcess({
      bootstrap: env['KAFKA_BROKERS'] ?? '',
      topic: this.topic,
      groupId: env['LOG_GROUP_ID'] ?? '',
      directory: env['LOG_OUTPUT_DIR'] ?? '',
      env,
    });
  }
}
