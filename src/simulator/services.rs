//! The service principals that AWS has, as far as anybody keeps a list.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::policy::target::check_region;

/// The names of services, the last label before the domain: `batchoperations.s3` is of `s3`.
/// From public lists of October 2026; a name that is missing here goes with the switch
/// `service_directory: any`.
const SERVICES: &str = "\
    a4b access-analyzer account account-access acm acm-pca aco-automation agent-registry aiops \
    airflow airflow-env airflow-serverless amplify amplifyuibuilder aoss apigateway app- \
    integrations appconfig appfabric appflow application-autoscaling application-insights \
    application-status-checks application-transformation appmesh apprunner appstream appsync \
    aps arc-zonal-shift artifact athena auditmanager automation autoscaling autoscaling-plans \
    aws-artifact-account-sync aws-external-anthropic backup backup-gateway batch bcm bedrock \
    bedrock-agentcore bedrock-mantle billingconductor braket budgets bugbust capacitymanager \
    cassandra cassandra-streams ce chatbot chime cleanrooms cleanrooms-ml cloud9 \
    clouddirectory cloudformation cloudfront cloudhsm cloudsearch cloudtrail cloudwatch \
    cloudwatch-crossaccount codeartifact codebuild codecatalyst codecatalyst-runner codecommit \
    codeconnections codedeploy codeguru-profiler codeguru-reviewer codeguru-security \
    codepipeline codestar codestar-connections codestar-notifications cognito-identity \
    cognito-idp cognito-sync comprehend comprehendmedical compute-optimizer config config- \
    conforms config-multiaccountsetup connect connect-campaigns controltower cost- \
    optimization-hub costalerts databrew dataexchange datapipeline datasync datazone \
    datazonecontrol dax deadline deeplens detective devicefarm devops-guru diode directconnect \
    discovery dlm dms docdb-elastic drs ds dsql dynamodb ebs ec ec2 ec2-images ec2-instance- \
    connect ec2fastlaunch ec2fleet ec2scheduled ec2sqlha ecr ecr-public ecs ecs-compute ecs- \
    tasks edgelambda eks eks-connector eks-fargate eks-fargate-pods eks-nodegroup elasticache \
    elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce elastictranscoder \
    email emr-containers emr-serverless entityresolution es events evidently evs finops-agent \
    finspace firehose fis fms forecast frauddetector freertos fsx gamelift geo glacier \
    globalaccelerator glue grafana greengrass groundstation guardduty health healthlake \
    honeycode iam identitystore imagebuilder importexport inspector inspector2 integrations \
    internetmonitor iot iotanalytics iotdeviceadvisor iotevents iotfleetwise \
    iotmanagedintegrations iotroborunner iotsitewise iotthingsgraph iottwinmaker iotwireless \
    ipam iq ivs ivschat kafka kafkaconnect kendra kendra-ranking kinesis kinesisanalytics \
    kinesisvideo kms lakeformation lambda launchwizard lex lexv2 license-manager license- \
    manager-user-subscriptions lightsail logs lookoutequipment lookoutmetrics lookoutvision \
    lustre m2 machinelearning macie macie2 managedblockchain managedservices marketplace \
    mediaconnect mediaconvert medialive mediapackage mediapackagev2 mediastore mediatailor \
    medical-imaging member-account memorydb mgn migrationhub migrationhub-orchestrator \
    migrationhub-strategy mobileanalytics mobilehub mobiletargeting monitoring monitron mpa mq \
    neptune neptune-db neptune-graph network-firewall network-security-director network- \
    security-manager networkinsights networkmanager networkmonitor notifications oam \
    observabilityadmin odb omics opensearchservice opsworks opsworks-cm organizations osis \
    outposts panorama partnercentral-account-management partnercentral-selling payment- \
    cryptography pca-connector-ad pcs personalize pinpoint pipes polly private-networks \
    profile proton purchaseorders q qapps qbusiness qldb quicksight ram rbin rds rds-preview \
    redshift redshift-data redshift-serverless refactor-spaces rekognition repostspace \
    researchstudio resiliencehub resource-explorer-2 resource-groups robomaker rolesanywhere \
    route53 route53-recovery-control-config route53-recovery-readiness route53domains \
    route53profiles route53resolver rtbfabric rum s3 s3-object-lambda s3-outposts s3express \
    s3tables s3vectors sagemaker sagemaker-geospatial scheduler schemas sdb secretsmanager \
    security-ir securityagent securityhub securityhubv2 securitylake serverlessrepo \
    servicecatalog servicecatalog-appregistry servicediscovery servicequotas ses shield signer \
    signin sms sms-voice snowball sns social-messaging spot spotfleet sqlworkbench sqs ssm \
    ssm-contacts ssm-guiconnect ssm-incidents ssm-quicksetup ssm-sap sso states storagegateway \
    sts supplychain support supportapp supportplans swf synthetics tag tax textract thinclient \
    timestream timestream-influxdb tnb transcribe transfer transform-custom transitgateway \
    translate trustedadvisor tts user-subscriptions verifiedpermissions vmie voiceid vpc-flow- \
    logs vpc-lattice vpce waf waf-regional wafv2 wam wellarchitected wickr wisdom workdocs \
    worklink workmail workspaces workspaces-instances workspaces-web xray";

const DOMAINS: &[&str] =
    &[".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".c2s.ic.gov", ".sc2s.sgov.gov"];
const ALEXA: &[&str] = &["alexa-appkit.amazon.com", "alexa-connectedhome.amazon.com"];

/// Whether it has the form of a service principal.
pub(crate) fn is_service_like(principal: &str) -> bool {
    ALEXA.contains(&principal) || labels(principal).is_some()
}

/// Whether it is one, global or regional.
pub(crate) fn is_service(principal: &str) -> bool {
    static KNOWN: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| SERVICES.split_ascii_whitespace().collect());
    let known = |labels: &str| {
        let mut labels = labels.rsplit('.').skip_while(|it| check_region(it).is_ok());
        labels.next().is_some_and(|it| KNOWN.contains(it))
    };
    ALEXA.contains(&principal) || labels(principal).is_some_and(known)
}

/// What stands before the domain.
fn labels(principal: &str) -> Option<&str> {
    let name = DOMAINS.iter().find_map(|it| principal.strip_suffix(it))?;
    let letter = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    let good = |it: &str| !it.is_empty() && it.chars().all(letter);
    name.split('.').all(good).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_globally_and_regionally() {
        for good in [
            "s3.amazonaws.com",
            "logs.us-east-1.amazonaws.com",
            "logs.cn-north-1.amazonaws.com.cn",
            "batchoperations.s3.amazonaws.com",
            "alexa-connectedhome.amazon.com",
        ] {
            assert!(is_service(good), "{good}");
        }
        for bad in
            ["amazonaws.com", ".amazonaws.com", "invalid.nonaws.com", "nope.amazonaws.com", "s3"]
        {
            assert!(!is_service(bad), "{bad}");
        }
        assert!(is_service_like("nope.amazonaws.com") && !is_service_like("amazonaws.com"));
    }
}
