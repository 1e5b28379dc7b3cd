// Signs in, up or on with amazon-cognito-identity-js, as a shop's page does: node sign_in.cjs <step> <name> <password> [<code>]
const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = require("amazon-cognito-identity-js");

const [step, name, password, last] = process.argv.slice(2);
const pool = new CognitoUserPool({
  UserPoolId: process.env.POOL,
  ClientId: process.env.CLIENT,
  endpoint: process.env.COGNITO,
});
const user = new CognitoUser({ Username: name, Pool: pool });
const fail = (error) => {
  console.log(`${error.code}: ${error.message}`);
  process.exit(0);
};
const done = (error, result) => (error ? fail(error) : console.log(result));
const tokens = (session) => console.log(session.getIdToken().getJwtToken());

const steps = {
  sign_in: () =>
    user.authenticateUser(new AuthenticationDetails({ Username: name, Password: password }), {
      onSuccess: (session) => user.refreshSession(session.getRefreshToken(), (error, fresh) => (error ? fail(error) : tokens(fresh))),
      onFailure: fail,
      newPasswordRequired: () => user.completeNewPasswordChallenge(last, {}, { onSuccess: tokens, onFailure: fail }),
    }),
  sign_up: () => {
    const email = new CognitoUserAttribute({ Name: "email", Value: name.split("/")[1] });
    pool.signUp(name, password, [email], [], (error, result) => done(error, result?.userSub), { tenant_id: name.split("/")[0] });
  },
  confirm: () => user.confirmRegistration(last, true, done),
};
steps[step]();
