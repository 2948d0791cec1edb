"""Azure's error codes, to compare an error's `code` and `inner_code` with, and the bodies that carry them.

Azure may add codes: an error keeps what it was given as plain text, and a member of an enum equals its text.
"""

from __future__ import annotations

from enum import StrEnum

from speech_client.entities import AzureObject, Known


class ErrorCode(StrEnum):
    """High level codes: `code` of an error."""

    INVALID_REQUEST = "InvalidRequest"
    INVALID_ARGUMENT = "InvalidArgument"
    INTERNAL_SERVER_ERROR = "InternalServerError"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    NOT_FOUND = "NotFound"
    PIPELINE_ERROR = "PipelineError"
    CONFLICT = "Conflict"
    INTERNAL_COMMUNICATION_FAILED = "InternalCommunicationFailed"
    FORBIDDEN = "Forbidden"
    NOT_ALLOWED = "NotAllowed"
    UNAUTHORIZED = "Unauthorized"
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"
    TOO_MANY_REQUESTS = "TooManyRequests"
    UNPROCESSABLE_ENTITY = "UnprocessableEntity"


class DetailedErrorCode(StrEnum):
    """What exactly was wrong: `inner_code` of an error."""

    INVALID_PARAMETER_VALUE = "InvalidParameterValue"
    INVALID_REQUEST_BODY_FORMAT = "InvalidRequestBodyFormat"
    EMPTY_REQUEST = "EmptyRequest"
    MISSING_INPUT_RECORDS = "MissingInputRecords"
    INVALID_DOCUMENT = "InvalidDocument"
    MODEL_VERSION_INCORRECT = "ModelVersionIncorrect"
    INVALID_DOCUMENT_BATCH = "InvalidDocumentBatch"
    UNSUPPORTED_LANGUAGE_CODE = "UnsupportedLanguageCode"
    DATA_IMPORT_FAILED = "DataImportFailed"
    IN_USE_VIOLATION = "InUseViolation"
    INVALID_LOCALE = "InvalidLocale"
    INVALID_BASE_MODEL = "InvalidBaseModel"
    INVALID_ADAPTATION_MAPPING = "InvalidAdaptationMapping"
    INVALID_DATASET = "InvalidDataset"
    INVALID_TEST = "InvalidTest"
    FAILED_DATASET = "FailedDataset"
    INVALID_MODEL = "InvalidModel"
    INVALID_TRANSCRIPTION = "InvalidTranscription"
    INVALID_PAYLOAD = "InvalidPayload"
    INVALID_PARAMETER = "InvalidParameter"
    ENDPOINT_WITHOUT_LOGGING = "EndpointWithoutLogging"
    INVALID_PERMISSIONS = "InvalidPermissions"
    INVALID_PREREQUISITE = "InvalidPrerequisite"
    INVALID_PRODUCT_ID = "InvalidProductId"
    INVALID_SUBSCRIPTION = "InvalidSubscription"
    INVALID_PROJECT = "InvalidProject"
    INVALID_PROJECT_KIND = "InvalidProjectKind"
    INVALID_RECORDINGS_URI = "InvalidRecordingsUri"
    ONLY_ONE_OF_URLS_OR_CONTAINER_OR_DATASET = "OnlyOneOfUrlsOrContainerOrDataset"
    EXCEEDED_NUMBER_OF_RECORDINGS_URIS = "ExceededNumberOfRecordingsUris"
    INVALID_CHANNELS = "InvalidChannels"
    MODEL_MISMATCH = "ModelMismatch"
    PROJECT_GENDER_MISMATCH = "ProjectGenderMismatch"
    MODEL_DEPRECATED = "ModelDeprecated"
    MODEL_EXISTS = "ModelExists"
    MODEL_NOT_DEPLOYABLE = "ModelNotDeployable"
    ENDPOINT_NOT_UPDATABLE = "EndpointNotUpdatable"
    SINGLE_DEFAULT_ENDPOINT = "SingleDefaultEndpoint"
    ENDPOINT_CANNOT_BE_DEFAULT = "EndpointCannotBeDefault"
    INVALID_MODEL_URI = "InvalidModelUri"
    SUBSCRIPTION_NOT_FOUND = "SubscriptionNotFound"
    QUOTA_VIOLATION = "QuotaViolation"
    UNSUPPORTED_DELTA = "UnsupportedDelta"
    UNSUPPORTED_FILTER = "UnsupportedFilter"
    UNSUPPORTED_PAGINATION = "UnsupportedPagination"
    UNSUPPORTED_DYNAMIC_CONFIGURATION = "UnsupportedDynamicConfiguration"
    UNSUPPORTED_ORDER_BY = "UnsupportedOrderBy"
    NO_UTF8_WITH_BOM = "NoUtf8WithBom"
    MODEL_DEPLOYMENT_NOT_COMPLETE_STATE = "ModelDeploymentNotCompleteState"
    SKU_LIMITS_EXIST = "SkuLimitsExist"
    DEPLOYING_FAILED_MODEL = "DeployingFailedModel"
    UNSUPPORTED_TIME_RANGE = "UnsupportedTimeRange"
    INVALID_LOG_DATE = "InvalidLogDate"
    INVALID_LOG_ID = "InvalidLogId"
    INVALID_LOG_START_TIME = "InvalidLogStartTime"
    INVALID_LOG_END_TIME = "InvalidLogEndTime"
    INVALID_TOP_FOR_LOGS = "InvalidTopForLogs"
    INVALID_SKIP_TOKEN_FOR_LOGS = "InvalidSkipTokenForLogs"  # noqa: S105  # a code
    DELETE_NOT_ALLOWED = "DeleteNotAllowed"
    FORBIDDEN = "Forbidden"
    DEPLOY_NOT_ALLOWED = "DeployNotAllowed"
    UNEXPECTED_ERROR = "UnexpectedError"
    INVALID_COLLECTION = "InvalidCollection"
    INVALID_CALLBACK_URI = "InvalidCallbackUri"
    INVALID_SAS_VALIDITY_DURATION = "InvalidSasValidityDuration"
    INACCESSIBLE_CUSTOMER_STORAGE = "InaccessibleCustomerStorage"
    UNSUPPORTED_CLASS_BASED_ADAPTATION = "UnsupportedClassBasedAdaptation"
    INVALID_WEB_HOOK_EVENT_KIND = "InvalidWebHookEventKind"
    INVALID_TIME_TO_LIVE = "InvalidTimeToLive"
    INVALID_SOURCE_AZURE_RESOURCE_ID = "InvalidSourceAzureResourceId"
    MODEL_COPY_AUTHORIZATION_EXPIRED = "ModelCopyAuthorizationExpired"
    ENDPOINT_LOGGING_NOT_SUPPORTED = "EndpointLoggingNotSupported"
    NO_LANGUAGE_IDENTIFIED = "NoLanguageIdentified"
    MULTIPLE_LANGUAGES_IDENTIFIED = "MultipleLanguagesIdentified"
    INVALID_AUDIO_FORMAT = "InvalidAudioFormat"
    BAD_CHANNEL_CONFIGURATION = "BadChannelConfiguration"
    INVALID_CHANNEL_SPECIFICATION = "InvalidChannelSpecification"
    AUDIO_LENGTH_LIMIT_EXCEEDED = "AudioLengthLimitExceeded"
    EMPTY_AUDIO_FILE = "EmptyAudioFile"


class InnerError(AzureObject):
    """An error inside an error; the innermost one is the most specific."""

    code: Known[DetailedErrorCode] | None = None
    message: str | None = None
    target: str | None = None
    inner_error: InnerError | None = None
    details: dict[str, str] | None = None


class ServiceError(AzureObject):
    """The body of an answer that says no."""

    code: Known[ErrorCode] | None = None
    message: str | None = None
    target: str | None = None
    inner_error: InnerError | None = None
    details: tuple[ServiceError, ...] | None = None
