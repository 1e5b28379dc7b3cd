"""CDK app, build of the functions' zip, and rehearsals of the deployment on a local machine."""
