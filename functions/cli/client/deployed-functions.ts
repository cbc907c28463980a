import type { Answer, ProjectReader } from './project-reader.ts';

/** A function as the project has it. */
export interface Deployed {
  /** `projects/P/locations/R/functions/N` */
  name: string;
  state?: string;
  stateMessages?: { message?: string }[];
  serviceConfig?: {
    serviceAccountEmail?: string;
    environmentVariables?: Record<string, string>;
    secretEnvironmentVariables?: MountedSecret[];
  };
}

interface MountedSecret {
  projectId?: string;
  secret: string;
  version: string;
}

/** All functions of the project, others than ours included. `region`: `-` for everywhere. */
export function readFunctions(reader: ProjectReader, region = '-'): Promise<Answer<Deployed[]>> {
  const path = `/v2/projects/${reader.project}/locations/${region}/functions`;
  const role = 'roles/cloudfunctions.viewer';
  return reader.list<Deployed>({ api: 'cloudfunctions', what: 'functions', role, path }, 'functions');
}

/** Where they are; `undefined` where there are none. */
export function regionOf(deployed: readonly Deployed[]): string | undefined {
  return deployed[0]?.name.split('/')[3];
}

/** What they are told under a name of the environment, each value once. */
export function valuesOf(deployed: readonly Deployed[], variable: string): string[] {
  const values = deployed.map(({ serviceConfig }) => serviceConfig?.environmentVariables?.[variable]);
  return [...new Set(values.filter((value) => value !== undefined))];
}

/** Full names of the versions that a function mounts. */
export function secretsOf({ serviceConfig }: Deployed, project: string): string[] {
  return (serviceConfig?.secretEnvironmentVariables ?? []).map(({ projectId = project, secret, version }) =>
    secret.startsWith('projects/')
      ? `${secret}/versions/${version}`
      : `projects/${projectId}/secrets/${secret}/versions/${version}`,
  );
}
