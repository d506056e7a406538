"""English wordings of branches, persons, plans and procedures (blocks as in ``wordings_en``)."""

OTHERS = """
opening_time
L: Opens at | Opening time | Opening
D: The {p} opens at {v}. | You can visit the {p} from {v}. | The doors of the {p} open at {v}. | The {p} starts its day at {v}. | Customers are welcome at the {p} from {v}. | The opening time of the {p} is {v}. | Business at the {p} begins at {v}. | The {p} is open from {v}.
Q: When does the {p} open? | What is the opening time of the {p}? | From what time can I visit the {p}? | At what time does the {p} open? | How early does the {p} open? | When do the doors of the {p} open? | When does business begin at the {p}? | From what time is the {p} open? | When does the {p} start its day?
A: The {p} opens at {v}.
HD: The time at which the {p} opens its doors is {v}. | The {p} welcomes customers from {v}.
HQ: The {p} is open from when? | How early can I visit the {p}? | At what time does business at the {p} start?

closing_time
L: Closes at | Closing time | Closing
D: The {p} closes at {v}. | The {p} stays open until {v}. | The doors of the {p} close at {v}. | The closing time of the {p} is {v}. | You can shop at the {p} until {v}. | The {p} ends its day at {v}. | Customers must leave the {p} by {v}. | The lights of the {p} go out at {v}.
Q: When does the {p} close? | What is the closing time of the {p}? | Until when is the {p} open? | At what time does the {p} close? | How late does the {p} stay open? | When do the doors of the {p} close? | By when must customers leave the {p}? | Until what time can I shop at the {p}? | When does the {p} end its day?
A: The {p} closes at {v}.
HD: The time at which the {p} closes its doors is {v}. | Customers can shop at the {p} as late as {v}.
HQ: The {p} stays open until what time? | How late can I shop at the {p}? | At what time must I leave the {p}?

closed_day
L: Closed on | Closing day | Day off
D: The {p} is closed on {v}. | The {p} takes its day off on {v}. | The weekly closing day of the {p} is {v}. | The {p} does not open on {v}. | Nobody works at the {p} on {v}. | The {p} rests every {v}. | You will find the {p} closed every {v}. | The {p} is shut on {v}.
Q: On which day is the {p} closed? | What is the closing day of the {p}? | Which day does the {p} take off? | When is the {p} closed during the week? | On what day of the week is the {p} shut? | Which day does the {p} not open? | On which day does nobody work at the {p}? | What day does the {p} rest? | Which day of the week will I find the {p} closed?
A: The {p} is closed on {v}.
HD: The day of the week when the {p} rests is {v}. | The {p} has its weekly day off on {v}.
HQ: The {p} does not open on which day of the week? | What is the weekly day off of the {p}? | On what day would I find the {p} shut?

address
L: Address | Street address | Location
D: The {p} is at {v}. | The address of the {p} is {v}. | You find the {p} at {v}. | The {p} stands at {v}. | Visit the {p} at {v}. | Send letters for the {p} to {v}. | The {p} has moved to {v}. | The {p} is located at {v}.
Q: Where is the {p}? | What is the address of the {p}? | Where do I find the {p}? | At what address is the {p}? | To which address do I send letters for the {p}? | Where is the {p} located? | Where does the {p} stand? | On which street is the {p}? | To what address has the {p} moved?
A: The address of the {p} is {v}.
HD: Letters reach the {p} at {v}. | The street address where the {p} stands is {v}.
HQ: The {p} is located at which address? | I want to visit the {p}, where is it? | What street and number is the {p} at?

phone
L: Phone | Telephone | Phone number
D: The phone number of the {p} is {v}. | Call the {p} on {v}. | You can reach the {p} by phone at {v}. | The {p} answers calls at {v}. | To speak to the {p}, dial {v}. | Questions to the {p}: call {v}. | The telephone number for the {p} is {v}. | Staff of the {p} pick up the phone at {v}.
Q: What is the phone number of the {p}? | How can I call the {p}? | On which number can I reach the {p}? | Which number do I dial for the {p}? | What is the telephone number of the {p}? | How do I reach the {p} by phone? | At which number does the {p} answer calls? | What number must I call to speak to the {p}? | Can I have the phone number of the {p}?
A: The phone number of the {p} is {v}.
HD: To reach the {p}, call {v}. | The number to dial for the {p} is {v}.
HQ: The {p} picks up the phone at which number? | I want to speak to the {p} by phone, what do I dial? | Which telephone number has the {p}?

parking_spaces
L: Parking spaces | Car park | Places for cars
D: The {p} has {v} parking spaces. | There are at the {p} {v} places to park. | The car park of the {p} holds {v} cars. | The {p} offers {v} parking spaces. | The number of parking spaces at the {p} is {v}. | Behind the {p} there is room for {v} cars. | Drivers find at the {p} {v} spaces. | Next to the {p}, {v} cars can park.
Q: How many parking spaces does the {p} have? | How many cars can park at the {p}? | What is the number of parking spaces at the {p}? | How many places to park are there at the {p}? | How many cars does the car park of the {p} hold? | How many parking spaces does the {p} offer? | Is there parking at the {p}? For how many cars? | For how many cars is there room behind the {p}? | How many spaces do drivers find at the {p}?
A: The {p} has {v} parking spaces.
HD: Room to park at the {p} is there for {v} cars. | The car park behind the {p} offers {v} spaces.
HQ: The {p} holds how many cars in its car park? | How many drivers can park next to the {p}? | At the {p}, what is the number of places for cars?

manager
L: Manager | Head of the branch | Managed by
D: The manager of the {p} is {v}. | The {p} is managed by {v}. | The {p} is led by {v}. | At the head of the {p} is {v}. | The {p} is run by {v}. | Responsible for the {p} is {v}. | Complaints about the {p} go to its manager {v}. | The person in charge of the {p} is {v}.
Q: Who is the manager of the {p}? | Who manages the {p}? | Who leads the {p}? | Who is in charge of the {p}? | Who runs the {p}? | Who is the head of the {p}? | Who is responsible for the {p}? | By whom is the {p} managed? | What is the name of the manager of the {p}?
A: The manager of the {p} is {v}.
HD: The person who runs the {p} is {v}. | The {p} has as its head {v}.
HQ: The {p} is led by whom? | To whom do complaints about the {p} go? | Which person is responsible for the {p}?

floor
L: Floor | Level | On floor
D: The {p} is on {v}. | You find the {p} on {v}. | The {p} is located on {v} of its building. | To visit the {p}, take the lift to {v}. | The entrance of the {p} is on {v}. | The {p} occupies {v}. | The {p} welcomes you on {v}. | The {p} moved up to {v}.
Q: On which floor is the {p}? | What floor is the {p} on? | To which floor do I take the lift for the {p}? | On what floor do I find the {p}? | Which floor does the {p} occupy? | On which floor is the entrance of the {p}? | On which level is the {p}? | What is the floor of the {p}? | To which floor did the {p} move?
A: The {p} is on {v}.
HD: Take the lift for the {p} up to {v}. | The entrance to the {p} is found on {v}.
HQ: The {p} is located on what floor? | I want to visit the {p}, on which floor is it? | Up to which floor must the lift go for the {p}?

nearest_station
L: Nearest station | Station | Closest station
D: The station nearest to the {p} is {v}. | The {p} is close to {v} station. | For the {p}, get off at {v}. | The nearest station of the {p} is {v}. | To reach the {p} by train, get off at {v}. | The {p} is a short walk from {v}. | Trains stop near the {p} at {v}. | Visitors to the {p} take the train to {v}.
Q: What is the nearest station to the {p}? | Which station is near the {p}? | Where do I get off for the {p}? | At which station do I get off to reach the {p}? | From which station is the {p} a short walk? | To which station do I take the train for the {p}? | What station is the {p} close to? | How do I reach the {p} by train, which station? | Where do trains stop near the {p}?
A: The station nearest to the {p} is {v}.
HD: To visit the {p}, leave the train at {v}. | The {p} can be reached by a short walk from {v}.
HQ: The {p} is near which station? | If I go to the {p} by train, where do I get off? | Which station is the closest to the {p}?

opened_on
L: Opened on | Opening day | In business since
D: The {p} was opened on {v}. | The {p} first opened on {v}. | The opening day of the {p} was {v}. | The {p} has been in business since {v}. | We founded the {p} on {v}. | The {p} celebrated its opening on {v}. | The history of the {p} began on {v}. | The {p} received its first customers on {v}.
Q: On what date was the {p} opened? | When was the {p} founded? | Since when has the {p} been in business? | What was the opening day of the {p}? | On which date did the {p} first open? | When did the history of the {p} begin? | On what date did the {p} celebrate its opening? | When did the {p} receive its first customers? | On which day was the {p} founded?
A: The {p} was opened on {v}.
HD: The day on which we founded the {p} was {v}. | The {p} began its business on {v}.
HQ: The {p} was founded on what date? | Since what date has the {p} received customers? | The history of the {p} began when?

services
L: Services | Services offered | Also offered
D: The {p} offers {v}. | Services at the {p} are {v}. | At the {p} you can also get {v}. | The {p} provides {v}. | The services of the {p} include {v}. | Staff at the {p} take care of {v}. | Come to the {p} for {v}. | The {p} is known for {v}.
Q: Which services does the {p} offer? | What services are there at the {p}? | What can I get at the {p}? | What does the {p} provide? | Which services does the {p} have? | What do staff at the {p} take care of? | What services do the services of the {p} include? | For what services can I come to the {p}? | For which services is the {p} known?
A: The {p} offers {v}.
HD: Among the services that staff provide at the {p} are {v}. | The {p} can also take care of {v}.
HQ: The {p} provides what services? | Which services can customers get at the {p}? | What is offered at the {p}?

wifi_password
L: Wi-Fi password | Password for guests | Guest Wi-Fi
D: The Wi-Fi password of the {p} is {v}. | At the {p}, guests use the Wi-Fi password {v}. | To use the Wi-Fi of the {p}, type {v}. | The guest network of the {p} asks for {v}. | The {p} gives guests the password {v}. | The password for the Wi-Fi at the {p} is {v}. | Guests of the {p} log in with {v}. | In the {p} you get online with {v}.
Q: What is the Wi-Fi password of the {p}? | Which password do I need for the Wi-Fi of the {p}? | How do I log in to the Wi-Fi at the {p}? | What do I type to use the Wi-Fi of the {p}? | What password do guests of the {p} use? | How do I get online at the {p}? | What is the password for guests at the {p}? | Which password does the guest network of the {p} ask for? | What is the password of the network at the {p}?
A: The Wi-Fi password of the {p} is {v}.
HD: Guests get online at the {p} by typing {v}. | The network at the {p} has the password {v}.
HQ: The {p} gives guests which password? | I am a guest at the {p}, how do I get online? | With which password do I log in at the {p}?

staff_count
L: Staff | Number of staff | Employees
D: The {p} has {v} employees. | There are at the {p} {v} people on the staff. | The {p} employs {v} people. | The staff of the {p} counts {v}. | The number of employees of the {p} is {v}. | The team of the {p} has {v} members. | Working at the {p} are {v} people. | The {p} gives work to {v} people.
Q: How many employees does the {p} have? | How many people work at the {p}? | How big is the staff of the {p}? | What is the number of employees of the {p}? | How many people does the {p} employ? | How many members does the team of the {p} have? | How many people are on the staff of the {p}? | To how many people does the {p} give work? | How large is the team of the {p}?
A: The {p} has {v} employees.
HD: The number of people who work at the {p} is {v}. | The {p} has a staff of {v}.
HQ: The {p} gives work to what number of people? | How many does the staff of the {p} count? | The team of the {p} has how many employees?

role
L: Role | Position | Job title
D: {p} works as {v}. | The role of {p} is {v}. | {p} is our {v}. | {p} has the position of {v}. | The job title of {p} is {v}. | {p} was appointed {v}. | {p} serves the company as {v}. | The position of {p} is {v}.
Q: What is the role of {p}? | What does {p} work as? | What is the job title of {p}? | Which position does {p} have? | What is {p}'s job? | What position was {p} appointed to? | As what does {p} serve the company? | What is the position of {p}? | What role does {p} have in the company?
A: {p} works as {v}.
HD: In the company, {p} has the job of {v}. | The position that {p} was appointed to is {v}.
HQ: {p} has what role? | What job does {p} have in the company? | In which position does {p} work?

department
L: Department | Works in | Team
D: {p} works in {v}. | {p} belongs to {v}. | The department of {p} is {v}. | {p} is a member of {v}. | {p} was moved to {v}. | You find {p} in {v}. | {p} joined the team of {v}. | The team of {p} is {v}.
Q: In which department does {p} work? | What is the department of {p}? | To which department does {p} belong? | Which team does {p} work in? | Of which department is {p} a member? | Where in the company does {p} work, in which department? | To which department was {p} moved? | Which team did {p} join? | In what department do I find {p}?
A: {p} works in {v}.
HD: The team to which {p} belongs is {v}. | The department where you find {p} is {v}.
HQ: {p} is a member of what department? | What team does {p} belong to? | {p} was moved to which department?

extension
L: Extension | Internal number | Extension number
D: {p} has the extension {v}. | The extension of {p} is {v}. | Reach {p} on extension {v}. | To call {p}, dial extension {v}. | The internal number of {p} is {v}. | {p} answers at extension {v}. | Inside the house, {p} is reached at {v}. | For {p}, ask for extension {v}.
Q: What is the extension of {p}? | Which extension does {p} have? | What is the internal number of {p}? | On which extension do I reach {p}? | Which extension do I dial to call {p}? | What internal number does {p} have? | At which extension does {p} answer? | For which extension do I ask to speak to {p}? | Inside the house, what number reaches {p}?
A: The extension of {p} is {v}.
HD: The internal number to dial for {p} is {v}. | Ask to call {p} at extension {v}.
HQ: {p} answers at which internal number? | To reach {p}, which extension is it? | What do I dial inside the house for {p}?

email
L: E-mail | E-mail address | Mail
D: The e-mail address of {p} is {v}. | Write to {p} at {v}. | You can mail {p} at {v}. | {p} reads messages sent to {v}. | {p} uses the address {v}. | Send questions for {p} to {v}. | The mail address of {p} is {v}. | To contact {p} by e-mail, use {v}.
Q: What is the e-mail address of {p}? | How can I write to {p}? | At what address can I mail {p}? | To which address do I send questions for {p}? | What is the mail address of {p}? | Which e-mail address does {p} use? | How do I contact {p} by e-mail? | To what address do I write a message to {p}? | Where do I mail {p}?
A: The e-mail address of {p} is {v}.
HD: Messages to {p} are sent to {v}. | The address at which {p} can be contacted is {v}.
HQ: {p} reads messages at which e-mail address? | I have questions for {p}, to what mail address do I send them? | By e-mail, how is {p} contacted?

joined_on
L: Joined on | With us since | Start date
D: {p} joined the company on {v}. | {p} has been with us since {v}. | The start date of {p} was {v}. | {p} started to work here on {v}. | We welcomed {p} on {v}. | {p} was hired on {v}. | The first day of {p} was {v}. | {p} signed the contract on {v}.
Q: When did {p} join the company? | Since when has {p} been with us? | What was the start date of {p}? | When did {p} start to work here? | When was {p} hired? | On what date did {p} join? | What was the first day of {p}? | On which day did we welcome {p}? | When did {p} sign the contract?
A: {p} joined the company on {v}.
HD: The day on which {p} was hired was {v}. | {p} came to work for us on {v}.
HQ: {p} has worked here since what date? | On which day did {p} start with the company? | {p} was hired when?

languages
L: Languages | Speaks | Spoken languages
D: {p} speaks {v}. | The languages of {p} are {v}. | {p} can help customers in {v}. | Customers can talk to {p} in {v}. | {p} is fluent in {v}. | {p} learned {v}. | {p} reads and writes {v}. | {p} answers calls in {v}.
Q: Which languages does {p} speak? | What languages can {p} speak? | In which languages can I talk to {p}? | In which languages does {p} help customers? | What languages did {p} learn? | In which languages is {p} fluent? | Which languages does {p} read and write? | In what languages does {p} answer calls? | What are the languages of {p}?
A: {p} speaks {v}.
HD: The languages in which {p} is fluent are {v}. | {p} learned to speak {v}.
HQ: {p} can talk in which languages? | In what languages can customers speak to {p}? | {p} is fluent in what?

deputy
L: Deputy | Stand-in | Represented by
D: The deputy of {p} is {v}. | When {p} is away, {v} takes over. | {p} is represented by {v}. | In place of {p}, ask {v}. | {p} has named as deputy {v}. | The stand-in for {p} is {v}. | If {p} is on leave, call {v}. | The work of {p} is taken over by {v} during leave.
Q: Who is the deputy of {p}? | Who takes over when {p} is away? | By whom is {p} represented? | Who stands in for {p}? | Whom do I ask in place of {p}? | Whom do I call if {p} is on leave? | Who takes over the work of {p}? | Whom has {p} named as deputy? | Who is the stand-in for {p}?
A: The deputy of {p} is {v}.
HD: During the leave of {p}, the work is taken over by {v}. | The person who represents {p} is {v}.
HQ: {p} is away, whom do I ask? | When {p} is on leave, who is the deputy? | Who was named stand-in by {p}?

desk_room
L: Room | Desk | Office room
D: {p} sits in room {v}. | The desk of {p} is in {v}. | The room of {p} is {v}. | You find {p} in room {v}. | {p} works in room {v}. | {p} moved to room {v}. | To see {p}, go to room {v}. | The office of {p} has the number {v}.
Q: In which room does {p} sit? | What is the room of {p}? | Where is the desk of {p}? | In which room do I find {p}? | To which room do I go to see {p}? | What number does the office of {p} have? | In what room does {p} work? | To which room has {p} moved? | Which room is the desk of {p} in?
A: The desk of {p} is in {v}.
HD: The room in which {p} works is {v}. | Go and see {p} in {v}.
HQ: {p} sits in what room? | I want to see {p}, to which room must I go? | What is the number of the room where {p} works?

fee
L: Fee | Price | Cost
D: The {p} costs {v}. | The fee for the {p} is {v}. | In all, the {p} costs you {v}. | For the {p} we charge {v}. | The price of the {p} is {v}. | A customer with the {p} pays {v}. | The {p} is offered for {v}. | Choose the {p} for {v}.
Q: How much does the {p} cost? | What is the fee for the {p}? | What do I pay for the {p}? | What is the price of the {p}? | How much is the {p}? | For how much is the {p} offered? | What do you charge for the {p}? | How much does a customer with the {p} pay? | What does the {p} cost?
A: The fee for the {p} is {v}.
HD: The fee that you pay for the {p} is {v}. | Anyone who chooses the {p} is charged {v}.
HQ: The {p} is offered at what price? | How much would I pay for the {p}? | If I choose the {p}, what does it cost?

deadline
L: Deadline | Apply by | Register by
D: Apply for the {p} by {v}. | The deadline for the {p} is {v}. | Applications for the {p} are accepted until {v}. | The {p} can be ordered until {v}. | Register for the {p} no later than {v}. | Applying for the {p} closes on {v}. | The last day to apply for the {p} is {v}. | Forms for the {p} must reach us by {v}.
Q: What is the deadline for the {p}? | Until when can I apply for the {p}? | By when must I register for the {p}? | When does applying for the {p} close? | What is the last day to apply for the {p}? | Until when are applications for the {p} accepted? | By what date do I have to apply for the {p}? | By when must forms for the {p} reach you? | Until when can the {p} be ordered?
A: The deadline for the {p} is {v}.
HD: The last day on which we accept forms for the {p} is {v}. | The {p} closes for applications on {v}.
HQ: The {p} accepts applications until what date? | When is the last day to register for the {p}? | I want to apply for the {p}, by when must I do it?

contact_desk
L: Contact | Contact desk | Questions to
D: For the {p}, contact {v}. | Questions about the {p} go to {v}. | The {p} is handled by {v}. | Ask about the {p} at {v}. | Requests for the {p} are taken by {v}. | If you want the {p}, turn to {v}. | The contact for the {p} is {v}. | To change the {p}, speak to {v}.
Q: Whom do I contact for the {p}? | Who handles the {p}? | Where do I ask about the {p}? | Which desk takes requests for the {p}? | To whom do I turn for the {p}? | What is the contact for the {p}? | Which desk is the {p} handled by? | Where do questions about the {p} go? | To whom do I speak to change the {p}?
A: For the {p}, contact {v}.
HD: If you have questions about the {p}, turn to {v}. | The desk that takes requests for the {p} is {v}.
HQ: The {p} is handled by which desk? | I have questions about the {p}, to which desk do I turn? | At which desk do I ask for the {p}?

approver
L: Approved by | Approval | Approver
D: Requests for the {p} are approved by the {v}. | The {p} must be approved by the {v}. | The approver for the {p} is the {v}. | To use the {p}, you need the consent of the {v}. | The {p} is signed off by the {v}. | The decision on the {p} lies with the {v}. | For the {p}, the permission of the {v} is needed. | Every use of the {p} needs a yes from the {v}.
Q: Who approves the {p}? | Who must approve requests for the {p}? | Whose consent do I need for the {p}? | Who signs off the {p}? | Who decides on the {p}? | Who is the approver for the {p}? | By whom must the {p} be approved? | Whose permission is needed for the {p}? | With whom does the decision on the {p} lie?
A: The {p} must be approved by the {v}.
HD: To get the {p}, ask for the permission of the {v}. | Consent for the {p} is given by the {v}.
HQ: The {p} needs the approval of whom? | Who gives permission to use the {p}? | The decision on requests for the {p} is made by whom?

maximum_amount
L: Maximum amount | Limit | Paid up to
D: The {p} pays up to {v}. | The maximum amount of the {p} is {v}. | The {p} covers at most {v}. | The limit of the {p} is {v}. | With the {p}, you get back no more than {v}. | The {p} is limited to {v}. | Costs are covered by the {p} up to {v}. | The {p} has an upper limit of {v}.
Q: How much does the {p} cover at most? | What is the maximum amount of the {p}? | What is the limit of the {p}? | Up to what amount does the {p} pay? | To what amount is the {p} limited? | How much do I get back at most with the {p}? | What is the upper limit of the {p}? | How high is the limit of the {p}? | Up to how much are costs covered by the {p}?
A: The {p} covers at most {v}.
HD: The most that the {p} pays is {v}. | The upper limit for costs under the {p} is {v}.
HQ: The {p} covers costs up to how much? | What is the most I get back with the {p}? | The {p} is limited to what maximum amount?

notice_period
L: Notice period | Notice | Cancel with notice of
D: You can cancel the {p} with {v} notice. | The notice period of the {p} is {v}. | To end the {p}, tell us {v} before. | The {p} ends {v} after you cancel. | Cancelling the {p} takes {v}. | If you want to leave the {p}, give notice of {v}. | The {p} requires a notice of {v}. | Notice for the {p} must be given {v} ahead.
Q: What is the notice period of the {p}? | How long before do I have to cancel the {p}? | How many days of notice does the {p} require? | How many days ahead must I cancel the {p}? | When does the {p} end after I cancel? | How long does cancelling the {p} take? | How many days before must I tell you to end the {p}? | How much notice do I give to leave the {p}? | What notice does the {p} need?
A: The notice period of the {p} is {v}.
HD: To cancel the {p}, a notice of {v} is required. | Leaving the {p} takes a notice given {v} before.
HQ: The {p} can be cancelled with how much notice? | I want to end the {p}, how many days ahead do I tell you? | How long is the notice for cancelling the {p}?

free_from
L: Free from | Free for orders from | No charge from
D: The {p} is free for orders from {v}. | The {p} is free of charge from {v}. | You do not pay for the {p} if your order reaches {v}. | We do not charge for the {p} on orders from {v}. | The {p} costs nothing from an order value of {v}. | To get the {p} free, order for at least {v}. | The {p} becomes free at {v}. | The {p} is included with orders of {v} or more.
Q: From what order value is the {p} free? | When is the {p} free of charge? | From which amount is the {p} free? | How much do I have to order to get the {p} free? | At what amount does the {p} become free? | From what amount does the {p} cost nothing? | For orders from which amount is the {p} free? | With orders of how much is the {p} included? | From how much do you not charge for the {p}?
A: The {p} is free for orders from {v}.
HD: The order value at which the {p} becomes free is {v}. | There is no charge for the {p} if you order for {v}.
HQ: The {p} costs nothing from which order value? | How much must my order reach so that I do not pay for the {p}? | For the {p} to be free, what is the amount?

refund_days
L: Refund within | Refund time | Money back within
D: With the {p}, your money is refunded within {v}. | Under the {p}, refunds take {v}. | The {p} promises a refund within {v}. | A refund under the {p} arrives after {v}. | Under the {p}, we pay back the money in {v}. | The refund time of the {p} is {v}. | The {p} gives the money back within {v}. | Refunds of the {p} are made within {v}.
Q: How long does a refund under the {p} take? | Within how many days does the {p} refund my money? | What is the refund time of the {p}? | When do I get my money back with the {p}? | How many days does a refund under the {p} need? | When does a refund under the {p} arrive? | In how many days is the money paid back under the {p}? | How fast are refunds of the {p} made? | Within what time does the {p} promise a refund?
A: Under the {p}, money is refunded within {v}.
HD: The money comes back under the {p} in {v}. | The time in which the {p} makes a refund is {v}.
HQ: The {p} refunds money within how many days? | How long until the {p} gives my money back? | Under the {p}, a refund is paid when?

documents_needed
L: Papers needed | Required papers | Bring
D: For the {p} you need {v}. | The papers needed for the {p} are {v}. | Bring to apply for the {p}: {v}. | To apply for the {p}, send {v}. | Requests for the {p} must include {v}. | The {p} requires {v}. | Attach to the form for the {p} {v}. | Have ready for the {p}: {v}.
Q: Which papers do I need for the {p}? | What must I bring for the {p}? | What papers are needed for the {p}? | Which papers does the {p} require? | What do I have to send to apply for the {p}? | Which papers must requests for the {p} include? | What do I attach to the form for the {p}? | Which papers should I have ready for the {p}? | What do I need to apply for the {p}?
A: For the {p} you need {v}.
HD: The papers to attach when you apply for the {p} are {v}. | If you want the {p}, bring {v}.
HQ: The {p} requires which papers? | I want to apply for the {p}, what papers must I have ready? | What must be attached to requests for the {p}?

valid_until
L: Valid until | Expires on | Validity
D: The {p} is valid until {v}. | The {p} expires on {v}. | You can use the {p} until {v}. | The {p} ends on {v}. | The validity of the {p} runs until {v}. | After {p} starts, it stays in force until {v}. | The {p} can be used up to {v}. | The terms of the {p} hold until {v}.
Q: Until when is the {p} valid? | When does the {p} expire? | Until when can I use the {p}? | On what date does the {p} end? | How long is the {p} valid? | Until when does the validity of the {p} run? | Until what date do the terms of the {p} hold? | When does the {p} run out? | Up to which date can the {p} be used?
A: The {p} is valid until {v}.
HD: The day on which the {p} runs out is {v}. | The terms of the {p} expire on {v}.
HQ: The {p} can be used until what date? | When is the end of the validity of the {p}? | The {p} expires when?

minimum_age
L: Minimum age | Age from | Lowest age
D: The {p} is open to people of {v} and over. | The minimum age for the {p} is {v}. | To join the {p}, you must be at least {v} old. | You can use the {p} from the age of {v}. | The {p} is for customers who are {v} or older. | The age limit of the {p} is {v}. | The {p} accepts people from {v} of age. | The lowest age for the {p} is {v}.
Q: What is the minimum age for the {p}? | How old must I be for the {p}? | From what age can I use the {p}? | How old do I have to be to join the {p}? | What is the lowest age for the {p}? | From what age does the {p} accept people? | What is the age limit of the {p}? | For people of what age is the {p} open? | At what age can customers join the {p}?
A: The minimum age for the {p} is {v}.
HD: Customers who want to join the {p} must be {v} old. | The age from which the {p} is open is {v}.
HQ: The {p} accepts people from how old? | I want to join the {p}, how old do I have to be? | The {p} can be used from what age?

number_of_visits
L: Visits included | Number of visits | Visits per year
D: The {p} includes a visit {v} a year. | With the {p}, a technician comes {v} a year. | The number of visits in the {p} is {v}. | Under the {p} we visit you {v}. | The {p} lets you use the service {v}. | The {p} covers visits {v} per year. | Customers with the {p} are visited {v}. | The {p} allows a visit {v}.
Q: How many visits does the {p} include? | How often does a technician come with the {p}? | What is the number of visits in the {p}? | How many times do you visit under the {p}? | How often can I use the service with the {p}? | How many visits a year does the {p} cover? | How many times are customers with the {p} visited? | How often does the {p} allow a visit? | How many times a year does the {p} include a visit?
A: The {p} includes a visit {v} a year.
HD: Under the {p}, customers can use the service {v}. | The technician visits customers of the {p} {v}.
HQ: The {p} covers how many visits? | How often a year am I visited with the {p}? | What number of times does a technician come under the {p}?

discount
L: Discount | Reduction | Members save
D: The {p} gives a discount of {v}. | With the {p}, you save {v}. | The discount of the {p} is {v}. | Customers with the {p} get {v} off. | The {p} lowers the price by {v}. | The {p} takes {v} off the price. | Thanks to the {p}, everything is cheaper by {v}. | The reduction with the {p} is {v}.
Q: How much discount does the {p} give? | What is the discount of the {p}? | How much do I save with the {p}? | How many percent off do I get with the {p}? | By how much does the {p} lower the price? | What reduction does the {p} give? | How much does the {p} take off the price? | How much cheaper is it with the {p}? | What percent do customers with the {p} get off?
A: The discount of the {p} is {v}.
HD: The price is lowered for customers with the {p} by {v}. | What you save thanks to the {p} is {v}.
HQ: The {p} makes everything cheaper by how much? | How many percent do I save with the {p}? | The price is lowered by how much with the {p}?

first_step
L: First step | Start with | Step 1
D: The {p} begins with this step: {v}. | To start the {p}, {v}. | The first step of the {p} is: {v}. | Before anything else in the {p}, {v}. | At the beginning of the {p}, {v}. | When you start the {p}, first {v}. | Step one of the {p}: {v}. | The {p} starts like this: {v}.
Q: What is the first step of the {p}? | How do I start the {p}? | What do I do first in the {p}? | How does the {p} begin? | With which step does the {p} begin? | What is step one of the {p}? | What do I do at the beginning of the {p}? | What must I do before anything else in the {p}? | How does the {p} start?
A: The first step of the {p} is: {v}.
HD: You begin the {p} like this: {v}. | For the {p}, do this first: {v}.
HQ: The {p} begins with what step? | When I start the {p}, what do I do first? | What comes at the beginning of the {p}?

last_step
L: Last step | Finish with | Final step
D: The {p} ends with this step: {v}. | To finish the {p}, {v}. | The last step of the {p} is: {v}. | At the end of the {p}, {v}. | When everything else in the {p} is done, {v}. | The {p} is complete once you do this: {v}. | The final step of the {p}: {v}. | Finish the {p} like this: {v}.
Q: What is the last step of the {p}? | How do I finish the {p}? | What do I do at the end of the {p}? | How does the {p} end? | What is the final step of the {p}? | With which step does the {p} end? | What do I do last in the {p}? | When is the {p} complete, what do I do last? | What do I do when everything else in the {p} is done?
A: The last step of the {p} is: {v}.
HD: You finish the {p} when you do this: {v}. | The {p} is done after its final step: {v}.
HQ: The {p} ends with what step? | To complete the {p}, what do I do at the end? | What final step finishes the {p}?

duration
L: Duration | Time needed | Takes
D: The {p} takes {v}. | The duration of the {p} is {v}. | As a rule, the {p} takes {v}. | You need for the {p} {v}. | The {p} is done in {v}. | The {p} lasts {v}. | For the {p}, set aside {v}. | The {p} is finished after {v}.
Q: How long does the {p} take? | What is the duration of the {p}? | How much time do I need for the {p}? | How long does the {p} last? | In what time is the {p} done? | How many minutes does the {p} take? | How much time should I set aside for the {p}? | After how many minutes is the {p} finished? | How long should I plan for the {p}?
A: The {p} takes {v}.
HD: The time that you need for the {p} is {v}. | From start to end, the {p} lasts {v}.
HQ: The {p} is finished in how many minutes? | How much time does the {p} need? | How many minutes should I plan for the {p}?

tool_needed
L: Tool | Tool needed | You need
D: For the {p} you need {v}. | The {p} is done with {v}. | The tool for the {p} is {v}. | Have ready for the {p}: {v}. | The {p} requires {v}. | Carry out the {p} with {v}. | Before the {p}, get {v}. | Use for the {p} {v}.
Q: What do I need for the {p}? | Which tool is needed for the {p}? | What is the {p} done with? | What is the tool for the {p}? | Which tool does the {p} require? | What must I have ready for the {p}? | With what do I carry out the {p}? | What tool do I use for the {p}? | What do I get before the {p}?
A: For the {p} you need {v}.
HD: To carry out the {p}, get {v}. | The tool that the {p} requires is {v}.
HQ: The {p} is carried out with which tool? | What tool must I get ready for the {p}? | What does the {p} need as a tool?

responsible
L: Responsible | Team in charge | Done by
D: Responsible for the {p} is {v}. | The {p} is carried out by {v}. | The {p} is the task of {v}. | In charge of the {p} is {v}. | The team in charge of the {p} is {v}. | The {p} is looked after by {v}. | The {p} belongs to the work of {v}. | Questions on the {p} are answered by {v}.
Q: Who is responsible for the {p}? | Which team is in charge of the {p}? | Who carries out the {p}? | Whose task is the {p}? | Which department carries out the {p}? | Who looks after the {p}? | Which department is responsible for the {p}? | Who answers questions on the {p}? | To whose work does the {p} belong?
A: Responsible for the {p} is {v}.
HD: The department that looks after the {p} is {v}. | The {p} is in the charge of {v}.
HQ: The {p} is the task of which department? | What team carries out the {p}? | By whom is the {p} looked after?

form_code
L: Form | Form code | Form to fill in
D: Fill in for the {p} form {v}. | The form for the {p} is {v}. | The {p} needs form {v}. | To record the {p}, use form {v}. | Every {p} is written down on form {v}. | The {p} is reported with form {v}. | The form code of the {p} is {v}. | After the {p}, hand in {v}.
Q: Which form do I need for the {p}? | What is the form for the {p}? | What is the form code of the {p}? | On which form do I record the {p}? | Which form do I fill in for the {p}? | Which form does the {p} need? | With which form is the {p} reported? | Which form do I hand in after the {p}? | On what form is the {p} written down?
A: The form for the {p} is {v}.
HD: Record the {p} on the form {v}. | The code of the form to hand in for the {p} is {v}.
HQ: The {p} is recorded with which form? | To report the {p}, what form must I fill in? | What code does the form for the {p} have?

frequency
L: Frequency | Repeat every | Done every
D: The {p} is done every {v}. | Repeat the {p} every {v}. | The {p} takes place every {v}. | The {p} is due every {v}. | From one {p} to the next there are {v}. | Plan the {p} once in {v}. | The {p} comes round every {v}. | The frequency of the {p} is once in {v}.
Q: How often is the {p} done? | How often must I repeat the {p}? | What is the frequency of the {p}? | How often does the {p} take place? | When is the {p} due again? | After how many weeks is the {p} repeated? | How many weeks are there between one {p} and the next? | How often do we plan the {p}? | Every how many weeks is the {p} done?
A: The {p} is done every {v}.
HD: The next {p} is due after {v}. | The {p} must be repeated once in {v}.
HQ: The {p} takes place how often? | After how many weeks is the next {p} due? | How many weeks later does the {p} come round?
"""
