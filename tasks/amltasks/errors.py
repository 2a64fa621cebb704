"""Every error that can end a task: a stable code, what happened, and what to do next.

Raise a cause with ``errors.COMPUTE_NAME_INVALID.error(name="x")``. Users rely on the codes, so a
code never changes; its sentences may improve. Users fix a ``USER`` cause in their pipeline or in
Azure. A ``SYSTEM`` cause needs time, the owner of the network, or a fix in this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_LONGEST_FACT = 2_000


class Fault(Enum):
    """Who can fix it."""

    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One way to fail. ``happened`` and ``next_step`` are ``str.format`` templates."""

    code: str
    happened: str
    next_step: str
    fault: Fault = Fault.USER

    def error(self, **facts: object) -> TaskError:
        """Build the exception. ``facts`` fill the templates; a very long one is left out."""
        told = {name: _bounded(fact) for name, fact in facts.items()}
        return TaskError(self, self.happened.format(**told), self.next_step.format(**told))


def _bounded(fact: object) -> object:
    """Return the fact, or only the size of a very long text."""
    if isinstance(fact, (int, float)):
        return fact
    text = str(fact)
    return text if len(text) <= _LONGEST_FACT else f"… {len(text):,} characters …"


class TaskError(Exception):
    """The task cannot continue. ``str()`` is the whole message for the user, always in this form:

    ``CODE: what happened, why. Next: what to do.``
    """

    def __init__(self, cause: Cause, happened: str, next_step: str) -> None:
        """Keep the cause and its two sentences."""
        self.cause = cause
        self.happened = happened.strip()
        self.next_step = next_step.strip()
        super().__init__(
            f"{cause.code}: {sentence(self.happened)} Next: {sentence(self.next_step)}"
        )


def sentence(text: str) -> str:
    """Return the text with a full stop at its end, unless it already ends a sentence."""
    return text if text.endswith((".", "!", "?", "…")) else text + "."


# --- hand-over, inputs, connection -----------------------------------------------------------

HANDOVER_INVALID = Cause(
    code="HANDOVER_INVALID",
    happened="the task could not read what the launcher handed over: {detail}",
    next_step="run the task from Azure Pipelines, not by hand; if that is what you did, report "
    "this as a bug",
    fault=Fault.SYSTEM,
)
INTERNAL_ERROR = Cause(
    code="INTERNAL_ERROR",
    happened="the task failed in a way that it does not know: {detail}",
    next_step="run again with the variable system.debug set to true, and report the log as a bug",
    fault=Fault.SYSTEM,
)
INPUT_MISSING = Cause(
    code="INPUT_MISSING",
    happened="the input '{name}' is empty{why}",
    next_step="give '{name}' a value in the task's inputs",
)
INPUT_INVALID = Cause(
    code="INPUT_INVALID",
    happened="the input '{name}' is '{value}', which is not {expected}",
    next_step="correct '{name}' in the task's inputs",
)
INPUT_VARIABLE_UNSET = Cause(
    code="INPUT_VARIABLE_UNSET",
    happened="the input '{name}' names the variable '{variable}', which has no value in this job",
    next_step="correct the variable's name, or define it in the pipeline or in a variable group",
)
INPUT_OUTPUT_UNSET = Cause(
    code="INPUT_OUTPUT_UNSET",
    happened="the input '{name}' is $({variable}), but no earlier step of this job named '{step}' "
    "has set the output '{output}'",
    next_step="add 'name: {step}' to the step that sets it (classic: its reference name); for "
    "a step of another job, map the variable: $[ dependencies.JOB.outputs['{variable}'] ] with "
    "dependsOn: JOB, or $[ stageDependencies.STAGE.JOB.outputs['{variable}'] ] for another stage",
)
INPUT_EXPRESSION = Cause(
    code="INPUT_EXPRESSION",
    happened="the input '{name}' is a runtime expression $[…], which Azure Pipelines evaluates "
    "only in variables and conditions",
    next_step="put the expression in a variable of the job, and write that variable, $(NAME), "
    "as '{name}'",
)
FILE_NOT_FOUND = Cause(
    code="FILE_NOT_FOUND",
    happened="the input '{name}' is '{path}', but there is no such {what}",
    next_step="check the path; relative paths start at {folder}",
)
CONNECTION_UNSUPPORTED = Cause(
    code="CONNECTION_UNSUPPORTED",
    happened="the service connection '{connection}' uses {scheme}, which this version cannot use",
    next_step="use an Azure Resource Manager connection with workload identity federation, a "
    "service principal or a managed identity, to AzureCloud, AzureChinaCloud or AzureUSGovernment",
)
CONNECTION_INVALID = Cause(
    code="CONNECTION_INVALID",
    happened="the service connection '{connection}' has no {missing}",
    next_step="edit the connection under Project settings > Service connections, and verify it "
    "there",
)
AUTHENTICATION_FAILED = Cause(
    code="AUTHENTICATION_FAILED",
    happened="Microsoft Entra refused the service connection's identity: {detail}",
    next_step="renew the connection's key or certificate if it has expired, and check its tenant "
    "and client ID",
)
CERTIFICATE_INVALID = Cause(
    code="CERTIFICATE_INVALID",
    happened="the task cannot use the service connection's certificate: {detail}",
    next_step="paste one PEM text into the connection: the certificate and its unencrypted RSA "
    "private key, each from -----BEGIN to -----END",
)
FEDERATION_NOT_TRUSTED = Cause(
    code="FEDERATION_NOT_TRUSTED",
    happened="the application does not trust this service connection: {detail}",
    next_step="copy the issuer and the subject from the connection's page, letter by letter, to a "
    "federated credential of the app registration (Certificates & secrets > Federated credentials) "
    "or of the managed identity, with the audience api://AzureADTokenExchange",
)
ASSERTION_EXPIRED = Cause(
    code="ASSERTION_EXPIRED",
    happened="Microsoft Entra says that the service connection's ID token has expired: {detail}",
    next_step="correct the agent's clock, because the task asks for a new ID token each time and "
    "it "
    "is valid for ten minutes; on a hosted agent, run the job again",
)
ID_TOKEN_REFUSED = Cause(
    code="ID_TOKEN_REFUSED",
    happened="Azure DevOps gave no ID token for the service connection: {detail}",
    next_step="check that the connection exists and that this pipeline may use it (Project "
    "settings "
    "> Service connections > Security); Azure DevOps Server has no workload identity federation",
)
MANAGED_IDENTITY_MISSING = Cause(
    code="MANAGED_IDENTITY_MISSING",
    happened="the agent's machine has no managed identity {identity}: {detail}",
    next_step="run the job on an agent in Azure whose machine has that identity (hosted agents "
    "have none), or use a connection with workload identity federation",
)

SIGN_IN = frozenset(
    {
        AUTHENTICATION_FAILED,
        CERTIFICATE_INVALID,
        FEDERATION_NOT_TRUSTED,
        ASSERTION_EXPIRED,
        ID_TOKEN_REFUSED,
        MANAGED_IDENTITY_MISSING,
    }
)
"""Causes that can only arise while signing in."""

# --- the service as a whole ------------------------------------------------------------------

UNAUTHORIZED = Cause(
    code="UNAUTHORIZED",
    happened="Azure refused the access token while {doing} (401): {detail}",
    next_step="verify the service connection under Project settings > Service connections",
)
FORBIDDEN = Cause(
    code="FORBIDDEN",
    happened="the service connection's identity was denied access while {doing} (403): {detail}",
    next_step="give it the role 'AzureML Data Scientist' (for compute also 'AzureML Compute "
    "Operator') on the workspace; for a private workspace use an agent inside its network",
)
ROLE_MISSING = Cause(
    code="ROLE_MISSING",
    happened="the service connection's identity{who} lacks the permission {action}, needed while "
    "{doing} (403)",
    next_step="ask an owner to give it the role '{role}', which takes effect within minutes: "
    "{command}",
)
WORKSPACE_NOT_FOUND = Cause(
    code="WORKSPACE_NOT_FOUND",
    happened="there is no workspace '{workspace}' in resource group '{resource_group}' of "
    "subscription {subscription}, or the service connection's identity may not see it",
    next_step="check the inputs 'workspaceName' and 'resourceGroupName' and the connection's "
    "subscription",
)
SUBSCRIPTION_NOT_FOUND = Cause(
    code="SUBSCRIPTION_NOT_FOUND",
    happened="the service connection's identity cannot see a subscription {subscription}",
    next_step="check the connection's subscription and tenant",
)
NOT_FOUND = Cause(
    code="NOT_FOUND",
    happened="Azure ML did not find what the task asked for while {doing} (404): {detail}",
    next_step="check the names in the task's inputs",
)
THROTTLED = Cause(
    code="THROTTLED",
    happened="Azure ML limited the number of requests while {doing} (429): {detail}",
    next_step="run the job again in a few minutes, or run fewer jobs at once",
    fault=Fault.SYSTEM,
)
SERVICE_UNAVAILABLE = Cause(
    code="SERVICE_UNAVAILABLE",
    happened="Azure ML could not answer while {doing} ({status}): {detail}",
    next_step="check Azure's status page, and run the job again",
    fault=Fault.SYSTEM,
)
NO_NETWORK = Cause(
    code="NO_NETWORK",
    happened="the agent could not connect while {doing}: {detail}",
    next_step="check the agent's network and proxy (VSTS_HTTP_PROXY, config --proxyurl) and that "
    "management.azure.com, login.microsoftonline.com and *.api.azureml.ms are allowed",
    fault=Fault.SYSTEM,
)
TLS_FAILED = Cause(
    code="TLS_FAILED",
    happened="the server's certificate was not trusted while {doing}: {detail}",
    next_step="give the agent your organisation's CA bundle (config --sslcacert)",
    fault=Fault.SYSTEM,
)
TRANSIENT = frozenset({THROTTLED, SERVICE_UNAVAILABLE, NO_NETWORK})
"""Causes that may pass without help: a task that waits tries again."""

DOWNLOAD_DAMAGED = Cause(
    code="DOWNLOAD_DAMAGED",
    happened="the file '{name}' was downloaded and is not what its MD5 in Azure says",
    next_step="run again; if it happens again, the file changed while it was read, or is damaged",
)
REFUSED = Cause(
    code="REFUSED",
    happened="Azure ML refused while {doing}: {detail}",
    next_step="correct what the message names, and run again",
)

# --- compute ---------------------------------------------------------------------------------

COMPUTE_NAME_INVALID = Cause(
    code="COMPUTE_NAME_INVALID",
    happened="'{name}' cannot name a compute: {rule}",
    next_step="choose another name in the input '{input}'",
)
COMPUTE_NOT_FOUND = Cause(
    code="COMPUTE_NOT_FOUND",
    happened="somebody deleted the compute '{name}' while the task waited for it",
    next_step="look in the workspace's activity log for who deleted it, then run again",
)
COMPUTE_WRONG_TYPE = Cause(
    code="COMPUTE_WRONG_TYPE",
    happened="the compute '{name}' is of type {found}, not {expected}",
    next_step="choose another name, or delete the compute if nobody needs it",
)
COMPUTE_DIFFERENT = Cause(
    code="COMPUTE_DIFFERENT",
    happened="the compute '{name}' differs from the inputs: {differences}",
    next_step="change the inputs or the compute, or set onDifference to 'warn'",
)
COMPUTE_FAILED = Cause(
    code="COMPUTE_FAILED",
    happened="the compute '{name}' is in state {state}: {detail}",
    next_step="fix the reason given, delete the compute in the workspace, and run again",
)
COMPUTE_QUOTA = Cause(
    code="COMPUTE_QUOTA",
    happened="the compute '{name}' got no machines, because the quota is used up: {detail}",
    next_step="ask for more quota, or choose another VM size, another region or fewer nodes",
)
COMPUTE_TIMEOUT = Cause(
    code="COMPUTE_TIMEOUT",
    happened="the compute '{name}' was still {state} after {minutes:g} minutes",
    next_step="look at the compute in the workspace; if it only needs longer, raise timeoutMinutes",
    fault=Fault.SYSTEM,
)
COMPUTE_NOT_OURS = Cause(
    code="COMPUTE_NOT_OURS",
    happened="the task did not delete the cluster '{name}', because its tags do not say that this "
    "job made it",
    next_step="look at the cluster in the workspace, and delete it there if nobody needs it",
)
COMPUTE_NOT_DELETED = Cause(
    code="COMPUTE_NOT_DELETED",
    happened="the task could not delete this job's cluster '{name}'; it is {state}",
    next_step="delete it in the workspace, or let a later build with sweepExpired delete it",
    fault=Fault.SYSTEM,
)

KUBERNETES_NOT_ATTACHED = Cause(
    code="KUBERNETES_NOT_ATTACHED",
    happened="no Kubernetes compute '{name}' is attached to the workspace '{workspace}', and "
    "azure-ai-ml (sdk 'v2') cannot create an AKS cluster there; nothing was deployed",
    next_step="attach one ('az ml compute attach --type Kubernetes --name {name} ...'), or set "
    "target to 'managed', which needs no cluster",
)

# --- runs ------------------------------------------------------------------------------------

PIPELINE_FILE_INVALID = Cause(
    code="PIPELINE_FILE_INVALID",
    happened="this task cannot run '{path}' as a pipeline: {detail}",
    next_step="{wanted}",
)
PARAMETER_UNKNOWN = Cause(
    code="PARAMETER_UNKNOWN",
    happened="the pipeline in '{path}' has no parameter '{name}'; it has {known}",
    next_step="correct the name in the input 'parameters', or add it to the pipeline",
)
PARAMETER_INVALID = Cause(
    code="PARAMETER_INVALID",
    happened="the parameter '{name}' of the pipeline in '{path}' is '{value}', not {expected}",
    next_step="correct the value in the input 'parameters'",
)
PARAMETER_MISSING = Cause(
    code="PARAMETER_MISSING",
    happened="build_pipeline in '{path}' needs the parameter '{name}'",
    next_step="add '{name}' to the input 'parameters', or give it a default",
)
RUN_NOT_FOUND = Cause(
    code="RUN_NOT_FOUND",
    happened="there is no run '{run}' in the workspace '{workspace}'",
    next_step="check the run id and that the run belongs to this workspace",
)
STEP_FAILED = Cause(
    code="STEP_FAILED",
    happened="the step '{step}' of run {run} failed: {detail}",
    next_step="read the end of its log above, or the whole log at {url}",
)
RUN_FAILED = Cause(
    code="RUN_FAILED",
    happened="the run {run} ended as {status}: {detail}",
    next_step="see {url}",
)
RUN_CANCELED = Cause(
    code="RUN_CANCELED",
    happened="the run {run} was canceled in Azure ML, not by this build",
    next_step="find out at {url} who canceled it, then run again",
)
RUN_TIMEOUT = Cause(
    code="RUN_TIMEOUT",
    happened="the run {run} was still running after {minutes:g} minutes and was canceled",
    next_step="raise timeoutMinutes, or find out at {url} what took so long",
)
RUN_QUEUE_TIMEOUT = Cause(
    code="RUN_QUEUE_TIMEOUT",
    happened="the run {run} had no machine after {minutes:g} minutes and was canceled; {states}",
    next_step="check at {url} whether its compute is full or out of quota, or raise queueTimeout",
)
RUN_STATE_UNKNOWN = Cause(
    code="RUN_STATE_UNKNOWN",
    happened="the run {run} is in the state '{status}', which the task does not know, so the task "
    "left it alone",
    next_step="look at the run at {url}, cancel it there if it still runs, and report the state as "
    "a bug",
    fault=Fault.SYSTEM,
)
SDK_BROKEN = Cause(
    code="SDK_BROKEN",
    happened="the Azure ML SDK that the task installed does not work while {doing}: {detail}",
    next_step="delete the folder azure-machine-learning-tasks in the agent's tool directory, so "
    "that the task installs the SDK again; if a step of the job installs packages into it, remove "
    "that step",
    fault=Fault.SYSTEM,
)
OUTPUT_NOT_FOUND = Cause(
    code="OUTPUT_NOT_FOUND",
    happened="there is nothing to download for '{output}': {detail}",
    next_step="correct the line in 'downloadOutputs'; its form is step/output or step/outputs/path",
)

# --- gate ------------------------------------------------------------------------------------

RULES_INVALID = Cause(
    code="RULES_INVALID",
    happened="the gate cannot use the rules in {source}: {detail}",
    next_step="correct the rules; the task's page lists every key",
)
PREDICTIONS_INVALID = Cause(
    code="PREDICTIONS_INVALID",
    happened="the gate cannot use the predictions in '{path}': {detail}",
    next_step="write the columns that the task's page lists for this kind of model, or name your "
    "own under 'columns' in the rules",
)
BASELINE_AMBIGUOUS = Cause(
    code="BASELINE_AMBIGUOUS",
    happened="the gate cannot tell which model is the baseline: {detail}",
    next_step="name another baseline, or let that one be a single registered model",
)
MODEL_NOT_FOUND = Cause(
    code="MODEL_NOT_FOUND",
    happened="there is no model '{model}' in the workspace '{workspace}'",
    next_step="check the model's name and version",
)
MODEL_OF_BUILD_NOT_FOUND = Cause(
    code="MODEL_OF_BUILD_NOT_FOUND",
    happened="no version of the model '{model}' in the workspace '{workspace}' was registered by "
    "build {build}",
    next_step="give a version, or the number of a build whose gate passed, as in the model's tag "
    "build_number",
)
MODEL_FILES_NOT_FOUND = Cause(
    code="MODEL_FILES_NOT_FOUND",
    happened="neither the run {run} nor its steps hold '{path}'",
    next_step="save the model under ./{path} in a step, or correct the input 'modelPath'",
)
MODEL_FILES_AMBIGUOUS = Cause(
    code="MODEL_FILES_AMBIGUOUS",
    happened="more than one step of run {run} holds '{path}': {holders}",
    next_step="save the model in one step only, or give that step's own run ID",
)
CANDIDATE_NOT_COMPLETED = Cause(
    code="CANDIDATE_NOT_COMPLETED",
    happened="the candidate's run {run} is {status}, so its metrics are not final",
    next_step="judge a run that completed; see {url}",
)
_REJECTED = "the gate rejected the model: {detail}"

RESCORING_FAILED = Cause(
    code="RESCORING_FAILED",
    happened="the baseline's service could not label the evaluation rows: {detail}",
    next_step="run again if this was an outage; otherwise let the service answer "
    '{{"data": [text, ...]}} with {{"predictions": [label, ...]}}, or evaluate each build on the '
    "same rows",
)
NO_PREDICTIONS = Cause(
    code="NO_PREDICTIONS",
    happened=_REJECTED,
    next_step="write outputs/predictions.csv (id, label, prediction, score) where the model is "
    "evaluated; only 'single_numbers: pass' lets logged numbers decide",
)
NO_BASELINE_PREDICTIONS = Cause(
    code="NO_BASELINE_PREDICTIONS",
    happened=_REJECTED,
    next_step="compare with a model whose run left predictions, or with a service that can label "
    "the rows; only 'single_numbers: pass' lets logged numbers decide",
)
SCORES_MISSING = Cause(
    code="SCORES_MISSING",
    happened=_REJECTED,
    next_step="write the column 'score' (the probability of label 1) into the predictions",
)
SINGLE_NUMBERS = Cause(
    code="SINGLE_NUMBERS",
    happened=_REJECTED,
    next_step="compare a metric that the gate measures from predictions, or write "
    "'single_numbers: pass' into that rule where one number of each model is meant",
)
EVALUATION_CHANGED = Cause(
    code="EVALUATION_CHANGED",
    happened=_REJECTED,
    next_step="evaluate on the pinned set, or pin the new one on purpose ('evaluation' in the "
    "rules; the report shows its sha256)",
)
ROWS_MISSING = Cause(
    code="ROWS_MISSING",
    happened=_REJECTED,
    next_step="find out where the missing rows were lost, and evaluate on all of them",
)
UNDEFINED = Cause(
    code="UNDEFINED",
    happened=_REJECTED,
    next_step="find out why the metric has no cases there; 'undefined: pass' in the rule skips "
    "such "
    "a slice",
)
METRIC_MISSING = Cause(
    code="METRIC_MISSING",
    happened=_REJECTED,
    next_step="log the metric in the pipeline under the name that the rules use",
)
METRIC_NOT_FINITE = Cause(
    code="METRIC_NOT_FINITE",
    happened=_REJECTED,
    next_step="find out why training diverged, because a metric must be a finite number",
)
SLICE_MISSING = Cause(
    code="SLICE_MISSING",
    happened=_REJECTED,
    next_step="write the slice's column into the predictions, or correct 'slices' in the rules",
)
BELOW_FLOOR = Cause(
    code="BELOW_FLOOR",
    happened=_REJECTED,
    next_step="improve the model, or lower the floor in the rules on purpose",
)
ABOVE_CEILING = Cause(
    code="ABOVE_CEILING",
    happened=_REJECTED,
    next_step="improve the model, or raise the ceiling in the rules on purpose",
)
SLICE_GAP = Cause(
    code="SLICE_GAP",
    happened=_REJECTED,
    next_step="improve the model where it is worst, or allow a wider max_gap on purpose",
)
WORSE = Cause(
    code="WORSE",
    happened=_REJECTED,
    next_step="improve the model, or allow a greater max_loss in the rules on purpose",
)
DRIFTED = Cause(
    code="DRIFTED",
    happened=_REJECTED,
    next_step="the losses of several builds have added up: improve the model, or allow a greater "
    "max_total_loss, or choose another anchor, on purpose",
)
TIE = Cause(
    code="TIE",
    happened=_REJECTED,
    next_step="if an equally good model is good enough, write max_loss in place of min_gain, or "
    "'tie: pass'",
)
NOT_BETTER = Cause(
    code="NOT_BETTER",
    happened=_REJECTED,
    next_step="improve the model, or allow a smaller min_gain in the rules",
)
TOO_FEW_ROWS = Cause(
    code="TOO_FEW_ROWS",
    happened=_REJECTED,
    next_step="evaluate on more distinct inputs, allow a greater max_loss, or write "
    "'too_few_rows: warn'",
)
DIFFERENT_ROWS = Cause(
    code="DIFFERENT_ROWS",
    happened=_REJECTED,
    next_step="evaluate both models on one frozen set, or write 'different_rows: points' to "
    "compare single numbers",
)
NO_INCUMBENT = Cause(
    code="NO_INCUMBENT",
    happened=_REJECTED,
    next_step="write 'no_incumbent: pass' in the rules if a first model may pass",
)
BASELINE_UNREACHABLE = Cause(
    code="BASELINE_UNREACHABLE",
    happened="the gate rejected the model, because it could not read the baseline: {detail}",
    next_step="fix the reason given, and run again; the gate never passes a model unseen",
    fault=Fault.SYSTEM,
)
STEPPED_BACK = Cause(
    code="STEPPED_BACK",
    happened="the model passed, but another build promoted one first: {detail}",
    next_step="run the gate again, which then compares with the promoted model",
)
RESULTS_NOT_WRITTEN = Cause(
    code="RESULTS_NOT_WRITTEN",
    happened="the gate could not write its files to '{folder}': {detail}",
    next_step="free space on the agent's disk or choose another outputDirectory, and run again; "
    "{kept}",
    fault=Fault.SYSTEM,
)
NOT_COPIED = Cause(
    code="NOT_COPIED",
    happened="the model passed and is registered, but was not copied: {detail}",
    next_step="run the job again: the model keeps its version, and only the copy is made",
    fault=Fault.SYSTEM,
)
COPY_UNSUPPORTED = Cause(
    code="COPY_UNSUPPORTED",
    happened="with sdk {sdk} a model can be copied to a {kind} only",
    next_step="set copyTo to {kind}, or choose the other sdk",
)
REGISTRY_NOT_FOUND = Cause(
    code="REGISTRY_NOT_FOUND",
    happened="there is no Azure Machine Learning registry '{registry}' that the service connection "
    "may see",
    next_step="check registryName, and give the connection's identity the role 'AzureML Registry "
    "User' on the registry",
)
NOT_REGISTERED = Cause(
    code="NOT_REGISTERED",
    happened="the model meets every rule, but it is not registered: {detail}",
    next_step="fix the reason given, and run the gate again",
    fault=Fault.SYSTEM,
)

# --- deployment ------------------------------------------------------------------------------

SERVICE_NAME_INVALID = Cause(
    code="SERVICE_NAME_INVALID",
    happened="'{name}' cannot name a service: 3 to 32 lower-case letters, digits and dashes, a "
    "letter first and no dash last",
    next_step="choose another name in the input 'serviceName'",
)
SMOKE_FILE_INVALID = Cause(
    code="SMOKE_FILE_INVALID",
    happened="the task cannot use the smoke file '{path}': {detail}",
    next_step='write a JSON list of {{"input": <row>, "expected": <label>}}',
)
EVAL_INFO_INVALID = Cause(
    code="EVAL_INFO_INVALID",
    happened="the task cannot use the gate's file '{path}': {detail}",
    next_step="give the eval_info.json that Evaluate and Gate writes into its outputDirectory",
)
GATE_REJECTED = Cause(
    code="GATE_REJECTED",
    happened="the gate rejected the model '{model}' of this build",
    next_step="deploy a build whose gate passed; nothing was deployed",
)
MODEL_NOT_PASSED = Cause(
    code="MODEL_NOT_PASSED",
    happened="the model '{model}' did not pass a gate: {detail}; nothing was deployed",
    next_step="deploy a version that Evaluate and Gate promoted (its tag 'gate' says 'promoted')"
    "{otherwise}",
)
MODEL_NEEDS_SCRIPT = Cause(
    code="MODEL_NEEDS_SCRIPT",
    happened="the model '{model}' is not registered as an MLflow model, so it cannot be deployed "
    "without a scoring script; nothing was deployed",
    next_step="give 'entryScript' and 'environmentFile', or register the model with the type "
    "mlflow_model",
)
ENVIRONMENT_NOT_FOUND = Cause(
    code="ENVIRONMENT_NOT_FOUND",
    happened="there is no environment '{environment}' in the workspace '{workspace}'",
    next_step="check the input 'environment', or register that environment",
)
SERVICE_NOT_FOUND = Cause(
    code="SERVICE_NOT_FOUND",
    happened="there is no service '{service}' in the workspace '{workspace}'",
    next_step="check the input 'serviceName'",
)
SERVICE_NOT_OURS = Cause(
    code="SERVICE_NOT_OURS",
    happened="the service '{service}' was not deleted, because {detail}",
    next_step="delete it in the workspace if nobody needs it",
)
SERVICE_NOT_DELETED = Cause(
    code="SERVICE_NOT_DELETED",
    happened="the service '{service}' is still there after {minutes:g} minutes; it is {state}",
    next_step="run the task again: it goes on with the deletion",
    fault=Fault.SYSTEM,
)
REVISION_NOT_KEPT = Cause(
    code="REVISION_NOT_KEPT",
    happened="the service '{service}' has no {wanted} to go back to; {known}",
    next_step="release the model of an earlier build with modelVersion 'build:<number>'; to be "
    "able to go back at once, set keepRevisions to 1 or more in your releases",
)
MODE_UNSUPPORTED = Cause(
    code="MODE_UNSUPPORTED",
    happened="the services of azureml-sdk (sdk 'v1') are updated in place and keep no earlier "
    "revision, so {what}",
    next_step="release the model of an earlier build with modelVersion 'build:<number>', or use "
    "sdk 'v2'",
)
SETTING_INVALID = Cause(
    code="SETTING_INVALID",
    happened="in {where}, {member} is {detail}",
    next_step="correct it there; nothing was deployed",
)
SETTING_UNSUPPORTED = Cause(
    code="SETTING_UNSUPPORTED",
    happened="{where} sets {member}, which cannot be done: {why}",
    next_step="remove it, or choose another sdk or target; nothing was deployed",
)
SERVICE_AUTH_DIFFERENT = Cause(
    code="SERVICE_AUTH_DIFFERENT",
    happened="the service '{service}' has the auth mode {found}, and a release to {expected} would "
    "lock its callers out",
    next_step="leave auth_mode out, or deploy under another serviceName",
)
AKS_NOT_FOUND = Cause(
    code="AKS_NOT_FOUND",
    happened="the workspace '{workspace}' has no AKS cluster '{name}', and createIfMissing is "
    "false",
    next_step="correct aksName, or set createIfMissing to true to make one in {location}, which is "
    "billed from then on",
)
AKS_NETWORK_DIFFERENT = Cause(
    code="AKS_NETWORK_DIFFERENT",
    happened="the AKS cluster '{name}' is not as the settings ask: {detail}",
    next_step="correct the settings, or choose another aksName; nothing was deployed",
)
SERVICE_WRONG_TARGET = Cause(
    code="SERVICE_WRONG_TARGET",
    happened="the service '{service}' runs on {found}, not on {expected}",
    next_step="choose another serviceName, or the target it runs on; nothing was deployed",
)
TARGET_UNSUPPORTED = Cause(
    code="TARGET_UNSUPPORTED",
    happened="azureml-sdk (sdk 'v1') cannot deploy to the target '{target}'",
    next_step="set sdk to 'v2', or target to 'kubernetes'",
)
DEPLOYMENT_FAILED = Cause(
    code="DEPLOYMENT_FAILED",
    happened="the service '{service}' did not become healthy: {detail}",
    next_step="read the end of the container's log above, and fix the entry script, the "
    "environment or the size; {left}",
)
DEPLOYMENT_TIMEOUT = Cause(
    code="DEPLOYMENT_TIMEOUT",
    happened="the service '{service}' was still {state} after {minutes:g} minutes",
    next_step="check whether the cluster has room; if it only needs longer, raise timeoutMinutes; "
    "{left}",
)
SMOKE_FAILED = Cause(
    code="SMOKE_FAILED",
    happened="the service '{service}' failed the smoke test: {detail}",
    next_step="fix what the message names; the rows with wrong answers are listed above; {left}",
)

# --- Azure DevOps ----------------------------------------------------------------------------

DEVOPS_UNREACHABLE = Cause(
    code="DEVOPS_UNREACHABLE",
    happened="Azure DevOps did not answer while {doing}: {detail}",
    next_step="run again; if that does not help, let the agent reach your organisation (proxy, "
    "firewall)",
    fault=Fault.SYSTEM,
)
DEVOPS_FORBIDDEN = Cause(
    code="DEVOPS_FORBIDDEN",
    happened="Azure DevOps denied the job's own identity access while {doing}: {detail}",
    next_step="give the project's build service the permission {permission}, and check whether the "
    "job ran longer than its access token is valid",
)
DEVOPS_REFUSED = Cause(
    code="DEVOPS_REFUSED",
    happened="Azure DevOps refused with {status} while {doing}: {detail}",
    next_step="check whether the build, the pipeline or the pull request still exists, and whether "
    "the job may use its project",
)
