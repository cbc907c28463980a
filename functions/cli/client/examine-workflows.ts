import { fileURLToPath } from 'node:url';
import { type Deployed, regionOf, valuesOf } from './deployed-functions.ts';
import { readWorkflowFile, workflowFiles } from './lint-workflows.ts';
import { APPLY, presence, type ProjectFinding } from './project-finding.ts';
import type { ProjectReader } from './project-reader.ts';

/** A workflow as the project has it. */
interface DeployedWorkflow {
  state?: string;
  stateError?: { details?: string };
  revisionId?: string;
  sourceContents?: string;
}

const FOLDER = fileURLToPath(new URL('../../../workflows', import.meta.url));

/** The workflows that runs may name as their driver: whether they are there, and are those of this version. */
export async function examineWorkflows(
  reader: ProjectReader,
  deployed: readonly Deployed[],
): Promise<ProjectFinding[]> {
  const region = regionOf(deployed);
  const drivers = valuesOf(deployed, 'PENSTOCK_DRIVERS').flatMap((value) => value.split(','));
  if (region === undefined) return [];
  const texts = new Map(
    workflowFiles(FOLDER)
      .map(readWorkflowFile)
      .map(({ name, text }) => [name, text]),
  );
  return Promise.all(
    [...new Set(drivers)].toSorted().map(async (driver): Promise<ProjectFinding> => {
      const name = `workflow ${driver}`;
      const answer = await reader.get<DeployedWorkflow>({
        api: 'workflows',
        what: name,
        role: 'roles/workflows.viewer',
        path: `/v1/projects/${reader.project}/locations/${region}/workflows/${driver}`,
      });
      return answer.state === 'ok' ? judge(name, answer.value, texts.get(driver)) : { name, ...answer };
    }),
  );
}

/** `text`: of its file here; a workflow of one's own has none. */
function judge(name: string, workflow: DeployedWorkflow, text: string | undefined): ProjectFinding {
  const { state = 'ACTIVE', stateError, revisionId = '?', sourceContents } = workflow;
  if (state !== 'ACTIVE') {
    const why = stateError?.details === undefined ? '' : `: ${stateError.details}`;
    return { name, state: 'wrong', detail: `it is ${state}${why}; ${APPLY}` };
  }
  if (text === undefined || text === sourceContents) return presence(name, true);
  const detail = `revision ${revisionId} is not what workflows/ has here; ${APPLY}, or ask with the version that was deployed`;
  return { name, state: 'wrong', detail };
}
