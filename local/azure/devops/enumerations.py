"""The service's enumerations: words, and the numbers that Node and browser clients use for them.

Numbers: microsoft/azure-devops-node-api, api/interfaces/; a test compares them.
"""

from __future__ import annotations

from typing import Annotated

from local.azure.devops.contracts import Words

# --- core -----------------------------------------------------------------------------------------

ProjectVisibility = Annotated[
    str, Words(unchanged=-1, private=0, organization=1, public=2, systemPrivate=3)
]
OperationStatus = Annotated[
    str, Words(notSet=0, queued=1, inProgress=2, cancelled=3, succeeded=4, failed=5)
]

# --- build ----------------------------------------------------------------------------------------

BuildStatus = Annotated[
    str, Words(none=0, inProgress=1, completed=2, cancelling=4, postponed=8, notStarted=32, all=47)
]
BuildResult = Annotated[
    str, Words(none=0, succeeded=2, partiallySucceeded=4, failed=8, canceled=32)
]
BuildReason = Annotated[
    str,
    Words(
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
    ),
]
QueuePriority = Annotated[str, Words(low=5, belowNormal=4, normal=3, aboveNormal=2, high=1)]
BuildQueryOrder = Annotated[
    str,
    Words(
        finishTimeAscending=2,
        finishTimeDescending=3,
        queueTimeDescending=4,
        queueTimeAscending=5,
        startTimeDescending=6,
        startTimeAscending=7,
    ),
]
DefinitionQueryOrder = Annotated[
    str,
    Words(
        none=0,
        lastModifiedAscending=1,
        lastModifiedDescending=2,
        definitionNameAscending=3,
        definitionNameDescending=4,
    ),
]
DefinitionQueueStatus = Annotated[str, Words(enabled=0, paused=1, disabled=2)]
DefinitionType = Annotated[str, Words(xaml=1, build=2)]
DefinitionQuality = Annotated[str, Words(definition=1, draft=2)]
BuildAuthorizationScope = Annotated[str, Words(projectCollection=1, project=2)]
DefinitionTriggerType = Annotated[
    str,
    Words(
        none=1,
        continuousIntegration=2,
        batchedContinuousIntegration=4,
        schedule=8,
        gatedCheckIn=16,
        batchedGatedCheckIn=32,
        pullRequest=64,
        buildCompletion=128,
        all=255,
    ),
]
FolderQueryOrder = Annotated[str, Words(none=0, folderAscending=1, folderDescending=2)]
QueryDeletedOption = Annotated[str, Words(excludeDeleted=0, includeDeleted=1, onlyDeleted=2)]

# --- pipelines ------------------------------------------------------------------------------------

RunState = Annotated[str, Words(unknown=0, inProgress=1, canceling=2, completed=4)]
RunResult = Annotated[str, Words(unknown=0, succeeded=1, failed=2, canceled=4)]

# --- distributedtask ------------------------------------------------------------------------------

TimelineRecordState = Annotated[str, Words(pending=0, inProgress=1, completed=2)]
TaskResult = Annotated[
    str, Words(succeeded=0, succeededWithIssues=1, failed=2, canceled=3, skipped=4, abandoned=5)
]
IssueType = Annotated[str, Words(error=1, warning=2)]
TaskAgentPoolType = Annotated[str, Words(automation=1, deployment=2)]
TaskAgentStatus = Annotated[str, Words(offline=1, online=2)]
TaskAgentPoolActionFilter = Annotated[str, Words(none=0, manage=2, use=16)]
TaskAgentPoolOptions = Annotated[
    str, Words(none=0, elasticPool=1, singleUseAgents=2, preserveAgentOnJobFailure=4)
]
VariableGroupQueryOrder = Annotated[str, Words(idAscending=0, idDescending=1)]

# --- git ------------------------------------------------------------------------------------------

PullRequestStatus = Annotated[str, Words(notSet=0, active=1, abandoned=2, completed=3, all=4)]
PullRequestAsyncStatus = Annotated[
    str, Words(notSet=0, queued=1, conflicts=2, succeeded=3, rejectedByPolicy=4, failure=5)
]
GitVersionType = Annotated[str, Words(branch=0, tag=1, commit=2)]
VersionControlRecursionType = Annotated[
    str, Words(none=0, oneLevel=1, oneLevelPlusNestedEmptyFolders=4, full=120)
]
VersionControlChangeType = Annotated[
    str,
    Words(
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
    ),
]
ItemContentType = Annotated[str, Words(rawText=0, base64Encoded=1)]
GitObjectType = Annotated[
    str, Words(bad=0, commit=1, tree=2, blob=3, tag=4, ext2=5, ofsDelta=6, refDelta=7)
]
GitRefUpdateStatus = Annotated[
    str,
    Words(
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
    ),
]
CommentThreadStatus = Annotated[
    str, Words(unknown=0, active=1, fixed=2, wontFix=3, closed=4, byDesign=5, pending=6)
]
CommentType = Annotated[str, Words(unknown=0, text=1, codeChange=2, system=3)]

# --- release --------------------------------------------------------------------------------------

ReleaseStatus = Annotated[str, Words(undefined=0, draft=1, active=2, abandoned=4)]
ReleaseReason = Annotated[
    str, Words(none=0, manual=1, continuousIntegration=2, schedule=3, pullRequest=4)
]
EnvironmentStatus = Annotated[
    str,
    Words(
        undefined=0,
        notStarted=1,
        inProgress=2,
        succeeded=4,
        canceled=8,
        rejected=16,
        queued=32,
        scheduled=64,
        partiallySucceeded=128,
    ),
]
DeployPhaseTypes = Annotated[
    str,
    Words(
        undefined=0,
        agentBasedDeployment=1,
        runOnServer=2,
        machineGroupBasedDeployment=4,
        deploymentGates=8,
    ),
]
DeploymentReason = Annotated[
    str, Words(none=0, manual=1, automated=2, scheduled=4, redeployTrigger=8)
]
DeploymentStatus = Annotated[
    str,
    Words(
        undefined=0,
        notDeployed=1,
        inProgress=2,
        succeeded=4,
        partiallySucceeded=8,
        failed=16,
        all=31,
    ),
]
DeployPhaseStatus = Annotated[
    str,
    Words(
        undefined=0,
        notStarted=1,
        inProgress=2,
        partiallySucceeded=4,
        succeeded=8,
        failed=16,
        canceled=32,
        skipped=64,
        cancelling=128,
    ),
]
DeploymentOperationStatus = Annotated[
    str,
    Words(
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
    ),
]
ReleaseQueryOrder = Annotated[str, Words(descending=0, ascending=1)]
ReleaseDefinitionQueryOrder = Annotated[
    str, Words(idAscending=0, idDescending=1, nameAscending=2, nameDescending=3)
]
SingleReleaseExpands = Annotated[str, Words(none=0, tasks=1)]
ReleaseExpands = Annotated[
    str,
    Words(
        none=0,
        environments=2,
        artifacts=4,
        approvals=8,
        manualInterventions=16,
        variables=32,
        tags=64,
    ),
]
ReleaseDefinitionExpands = Annotated[
    str,
    Words(none=0, environments=2, artifacts=4, triggers=8, variables=16, tags=32, lastRelease=64),
]
ReleaseDefinitionSource = Annotated[
    str, Words(undefined=0, restApi=1, userInterface=2, ibiza=4, portalExtensionApi=8)
]

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
