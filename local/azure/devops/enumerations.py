"""The service's enumerations: words, and the numbers that Node and browser clients use for them.

Numbers: microsoft/azure-devops-node-api, api/interfaces/; a test compares them.
"""

from __future__ import annotations

from typing import Annotated

from local.azure.devops.contracts import Words

# --- core -----------------------------------------------------------------------------------------

PROJECT_VISIBILITY = Words(unchanged=-1, private=0, organization=1, public=2, systemPrivate=3)
ProjectVisibility = Annotated[str, PROJECT_VISIBILITY]
OPERATION_STATUS = Words(notSet=0, queued=1, inProgress=2, cancelled=3, succeeded=4, failed=5)
OperationStatus = Annotated[str, OPERATION_STATUS]

# --- build ----------------------------------------------------------------------------------------

BUILD_STATUS = Words(
    none=0, inProgress=1, completed=2, cancelling=4, postponed=8, notStarted=32, all=47
)
BuildStatus = Annotated[str, BUILD_STATUS]
BUILD_RESULT = Words(none=0, succeeded=2, partiallySucceeded=4, failed=8, canceled=32)
BuildResult = Annotated[str, BUILD_RESULT]
BUILD_REASON = Words(
    none=0,
    manual=1,
    individualCI=2,
    batchedCI=4,
    schedule=8,
    scheduleForced=16,
    userCreated=32,
    validateShelveset=64,
    checkInShelveset=128,
    pullRequest=256,
    buildCompletion=512,
    resourceTrigger=1024,
    triggered=1967,
    all=2031,
)
BuildReason = Annotated[str, BUILD_REASON]
QUEUE_PRIORITY = Words(low=5, belowNormal=4, normal=3, aboveNormal=2, high=1)
QueuePriority = Annotated[str, QUEUE_PRIORITY]
BUILD_QUERY_ORDER = Words(
    finishTimeAscending=2,
    finishTimeDescending=3,
    queueTimeDescending=4,
    queueTimeAscending=5,
    startTimeDescending=6,
    startTimeAscending=7,
)
BuildQueryOrder = Annotated[str, BUILD_QUERY_ORDER]
DEFINITION_QUERY_ORDER = Words(
    none=0,
    lastModifiedAscending=1,
    lastModifiedDescending=2,
    definitionNameAscending=3,
    definitionNameDescending=4,
)
DefinitionQueryOrder = Annotated[str, DEFINITION_QUERY_ORDER]
DEFINITION_QUEUE_STATUS = Words(enabled=0, paused=1, disabled=2)
DefinitionQueueStatus = Annotated[str, DEFINITION_QUEUE_STATUS]
DEFINITION_TYPE = Words(xaml=1, build=2)
DefinitionType = Annotated[str, DEFINITION_TYPE]
DEFINITION_QUALITY = Words(definition=1, draft=2)
DefinitionQuality = Annotated[str, DEFINITION_QUALITY]
BUILD_AUTHORIZATION_SCOPE = Words(projectCollection=1, project=2)
BuildAuthorizationScope = Annotated[str, BUILD_AUTHORIZATION_SCOPE]
DEFINITION_TRIGGER_TYPE = Words(
    none=1,
    continuousIntegration=2,
    batchedContinuousIntegration=4,
    schedule=8,
    gatedCheckIn=16,
    batchedGatedCheckIn=32,
    pullRequest=64,
    buildCompletion=128,
    all=255,
)
DefinitionTriggerType = Annotated[str, DEFINITION_TRIGGER_TYPE]
FOLDER_QUERY_ORDER = Words(none=0, folderAscending=1, folderDescending=2)
FolderQueryOrder = Annotated[str, FOLDER_QUERY_ORDER]
QUERY_DELETED_OPTION = Words(excludeDeleted=0, includeDeleted=1, onlyDeleted=2)
QueryDeletedOption = Annotated[str, QUERY_DELETED_OPTION]

# --- pipelines ------------------------------------------------------------------------------------

RUN_STATE = Words(unknown=0, inProgress=1, canceling=2, completed=4)
RunState = Annotated[str, RUN_STATE]
RUN_RESULT = Words(unknown=0, succeeded=1, failed=2, canceled=4)
RunResult = Annotated[str, RUN_RESULT]

# --- distributedtask ------------------------------------------------------------------------------

TIMELINE_RECORD_STATE = Words(pending=0, inProgress=1, completed=2)
TimelineRecordState = Annotated[str, TIMELINE_RECORD_STATE]
TASK_RESULT = Words(
    succeeded=0, succeededWithIssues=1, failed=2, canceled=3, skipped=4, abandoned=5
)
TaskResult = Annotated[str, TASK_RESULT]
ISSUE_TYPE = Words(error=1, warning=2)
IssueType = Annotated[str, ISSUE_TYPE]
TASK_AGENT_POOL_TYPE = Words(automation=1, deployment=2)
TaskAgentPoolType = Annotated[str, TASK_AGENT_POOL_TYPE]
TASK_AGENT_STATUS = Words(offline=1, online=2)
TaskAgentStatus = Annotated[str, TASK_AGENT_STATUS]
TASK_AGENT_POOL_ACTION_FILTER = Words(none=0, manage=2, use=16)
TaskAgentPoolActionFilter = Annotated[str, TASK_AGENT_POOL_ACTION_FILTER]
TASK_AGENT_POOL_OPTIONS = Words(
    none=0, elasticPool=1, singleUseAgents=2, preserveAgentOnJobFailure=4
)
TaskAgentPoolOptions = Annotated[str, TASK_AGENT_POOL_OPTIONS]
VARIABLE_GROUP_QUERY_ORDER = Words(idAscending=0, idDescending=1)
VariableGroupQueryOrder = Annotated[str, VARIABLE_GROUP_QUERY_ORDER]

# --- git ------------------------------------------------------------------------------------------

PULL_REQUEST_STATUS = Words(notSet=0, active=1, abandoned=2, completed=3, all=4)
PullRequestStatus = Annotated[str, PULL_REQUEST_STATUS]
PULL_REQUEST_ASYNC_STATUS = Words(
    notSet=0, queued=1, conflicts=2, succeeded=3, rejectedByPolicy=4, failure=5
)
PullRequestAsyncStatus = Annotated[str, PULL_REQUEST_ASYNC_STATUS]
GIT_VERSION_TYPE = Words(branch=0, tag=1, commit=2)
GitVersionType = Annotated[str, GIT_VERSION_TYPE]
VERSION_CONTROL_RECURSION_TYPE = Words(
    none=0, oneLevel=1, oneLevelPlusNestedEmptyFolders=4, full=120
)
VersionControlRecursionType = Annotated[str, VERSION_CONTROL_RECURSION_TYPE]
VERSION_CONTROL_CHANGE_TYPE = Words(
    none=0,
    add=1,
    edit=2,
    encoding=4,
    rename=8,
    delete=16,
    undelete=32,
    branch=64,
    merge=128,
    lock=256,
    rollback=512,
    sourceRename=1024,
    targetRename=2048,
    property=4096,
    all=8191,
)
VersionControlChangeType = Annotated[str, VERSION_CONTROL_CHANGE_TYPE]
ITEM_CONTENT_TYPE = Words(rawText=0, base64Encoded=1)
ItemContentType = Annotated[str, ITEM_CONTENT_TYPE]
GIT_OBJECT_TYPE = Words(bad=0, commit=1, tree=2, blob=3, tag=4, ext2=5, ofsDelta=6, refDelta=7)
GitObjectType = Annotated[str, GIT_OBJECT_TYPE]
GIT_REF_UPDATE_STATUS = Words(
    succeeded=0,
    forcePushRequired=1,
    staleOldObjectId=2,
    invalidRefName=3,
    unprocessed=4,
    unresolvableToCommit=5,
    writePermissionRequired=6,
    manageNotePermissionRequired=7,
    createBranchPermissionRequired=8,
    createTagPermissionRequired=9,
    rejectedByPlugin=10,
    locked=11,
    refNameConflict=12,
    rejectedByPolicy=13,
    succeededNonExistentRef=14,
    succeededCorruptRef=15,
)
GitRefUpdateStatus = Annotated[str, GIT_REF_UPDATE_STATUS]
COMMENT_THREAD_STATUS = Words(
    unknown=0, active=1, fixed=2, wontFix=3, closed=4, byDesign=5, pending=6
)
CommentThreadStatus = Annotated[str, COMMENT_THREAD_STATUS]
COMMENT_TYPE = Words(unknown=0, text=1, codeChange=2, system=3)
CommentType = Annotated[str, COMMENT_TYPE]

# --- release --------------------------------------------------------------------------------------

RELEASE_STATUS = Words(undefined=0, draft=1, active=2, abandoned=4)
ReleaseStatus = Annotated[str, RELEASE_STATUS]
RELEASE_REASON = Words(none=0, manual=1, continuousIntegration=2, schedule=3, pullRequest=4)
ReleaseReason = Annotated[str, RELEASE_REASON]
ENVIRONMENT_STATUS = Words(
    undefined=0,
    notStarted=1,
    inProgress=2,
    succeeded=4,
    canceled=8,
    rejected=16,
    queued=32,
    scheduled=64,
    partiallySucceeded=128,
)
EnvironmentStatus = Annotated[str, ENVIRONMENT_STATUS]
DEPLOY_PHASE_TYPES = Words(
    undefined=0,
    agentBasedDeployment=1,
    runOnServer=2,
    machineGroupBasedDeployment=4,
    deploymentGates=8,
)
DeployPhaseTypes = Annotated[str, DEPLOY_PHASE_TYPES]
DEPLOYMENT_REASON = Words(none=0, manual=1, automated=2, scheduled=4, redeployTrigger=8)
DeploymentReason = Annotated[str, DEPLOYMENT_REASON]
DEPLOYMENT_STATUS = Words(
    undefined=0,
    notDeployed=1,
    inProgress=2,
    succeeded=4,
    partiallySucceeded=8,
    failed=16,
    all=31,
)
DeploymentStatus = Annotated[str, DEPLOYMENT_STATUS]
DEPLOY_PHASE_STATUS = Words(
    undefined=0,
    notStarted=1,
    inProgress=2,
    partiallySucceeded=4,
    succeeded=8,
    failed=16,
    canceled=32,
    skipped=64,
    cancelling=128,
)
DeployPhaseStatus = Annotated[str, DEPLOY_PHASE_STATUS]
DEPLOYMENT_OPERATION_STATUS = Words(
    undefined=0,
    queued=1,
    scheduled=2,
    pending=4,
    approved=8,
    rejected=16,
    deferred=32,
    queuedForAgent=64,
    phaseInProgress=128,
    phaseSucceeded=256,
    phasePartiallySucceeded=512,
    phaseFailed=1024,
    canceled=2048,
    phaseCanceled=4096,
    manualInterventionPending=8192,
    queuedForPipeline=16384,
    cancelling=32768,
    evaluatingGates=65536,
    gateFailed=131072,
    all=258047,
)
DeploymentOperationStatus = Annotated[str, DEPLOYMENT_OPERATION_STATUS]
RELEASE_QUERY_ORDER = Words(descending=0, ascending=1)
ReleaseQueryOrder = Annotated[str, RELEASE_QUERY_ORDER]
RELEASE_DEFINITION_QUERY_ORDER = Words(
    idAscending=0, idDescending=1, nameAscending=2, nameDescending=3
)
ReleaseDefinitionQueryOrder = Annotated[str, RELEASE_DEFINITION_QUERY_ORDER]
SINGLE_RELEASE_EXPANDS = Words(none=0, tasks=1)
SingleReleaseExpands = Annotated[str, SINGLE_RELEASE_EXPANDS]
RELEASE_EXPANDS = Words(
    none=0,
    environments=2,
    artifacts=4,
    approvals=8,
    manualInterventions=16,
    variables=32,
    tags=64,
)
ReleaseExpands = Annotated[str, RELEASE_EXPANDS]
RELEASE_DEFINITION_EXPANDS = Words(
    none=0, environments=2, artifacts=4, triggers=8, variables=16, tags=32, lastRelease=64
)
ReleaseDefinitionExpands = Annotated[str, RELEASE_DEFINITION_EXPANDS]
RELEASE_DEFINITION_SOURCE = Words(
    undefined=0, restApi=1, userInterface=2, ibiza=4, portalExtensionApi=8
)
ReleaseDefinitionSource = Annotated[str, RELEASE_DEFINITION_SOURCE]

# --- test -----------------------------------------------------------------------------------------

TEST_RUN_STATE = Words(
    unspecified=0,
    notStarted=1,
    inProgress=2,
    completed=3,
    aborted=4,
    waiting=5,
    needsInvestigation=6,
)
